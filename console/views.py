"""Rows made ready to be shown: lines of the queue, bubbles of a conversation, the story beside it.

Here sealed words are opened; the templates escape them. Functions of a transaction, without any HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from store.schema import attempts, entries, outbox, pages
from tickets.record import Record
from tickets.search import live_pages

WORDS = ("said", "edited", "tapped", "file", "location")
RINGING = ("due", "sending", "ringing")  # what is about to be sent counts too, as in exports
_PREVIEW = 160  # letters
_FEW = 15
_LAST = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One case in a list. `said` = the last words of citizen and staff, newest last; `writes` = the very
    last is the citizen's; `page` is the live page, if any."""

    row: Row[Any]
    said: tuple[str, ...]
    writes: bool
    page: Row[Any] | None
    ringing: tuple[str, ...] = ()

    @property
    def preview(self) -> str:
        """The last words; when they are few ("yes"), those before them too."""
        last = self.said[-1] if self.said else ""
        return last if len(last) > _FEW or len(self.said) < 2 else f"{self.said[-2]} · {last}"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One entry of a conversation. `side` is citizen, bot, human, note or event."""

    id: int
    side: str
    by: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """All that one ticket page shows."""

    row: Row[Any]
    bubbles: tuple[Bubble, ...]
    answers: dict[str, Any]
    pages: tuple[Row[Any], ...]
    attempts: tuple[Row[Any], ...]
    undelivered: int
    relayed: bool

    @property
    def page(self) -> Row[Any] | None:
        """The newest page."""
        return self.pages[-1] if self.pages else None

    @property
    def ringing(self) -> tuple[str, ...]:
        """Whose phone rings for it now."""
        live = {page.id for page in self.pages if page.state == "ringing"}
        return tuple(
            dict.fromkeys(a.person for a in self.attempts if a.page_id in live and a.state in RINGING)
        )


def lines(tx: Connection, record: Record, rows: Sequence[Row[Any]]) -> list[Line]:
    """The lines of a list, in its order."""
    if not rows:
        return []
    last = _last_words(tx, [row.id for row in rows])
    owed = live_pages(tx)
    rings = _ringing(tx)
    return [_line(record, row, last.get(row.id, []), owed.get(row.id), rings.get(row.id, ())) for row in rows]


def case_view(tx: Connection, record: Record, row: Row[Any]) -> CaseView:
    """One ticket with its whole story."""
    found = tx.execute(select(entries).where(entries.c.ticket_id == row.id).order_by(entries.c.id)).all()
    owed = tx.execute(select(pages).where(pages.c.ticket_id == row.id).order_by(pages.c.id)).all()
    tried = tx.execute(
        select(attempts).where(attempts.c.page_id.in_([page.id for page in owed])).order_by(attempts.c.id)
    ).all()
    lost = outbox.c.state.in_(("failed", "blocked"))
    his = (
        outbox.c.citizen_id == row.citizen_id,
        outbox.c.ticket_id == row.id,
    )  # there is an index by citizen
    undelivered = select(func.count()).select_from(outbox).where(*his, lost)
    bubbles = tuple(_bubble(record, entry) for entry in found)
    return CaseView(
        row=row,
        bubbles=bubbles,
        answers=record.open_answers(row.id, row.answers),
        pages=tuple(owed),
        attempts=tuple(tried),
        undelivered=tx.execute(undelivered).scalar_one(),
        relayed=_relayed(bubbles),
    )


def _line(
    record: Record, row: Row[Any], last: Sequence[Row[Any]], page: Row[Any] | None, rings: tuple[str, ...]
) -> Line:
    said = tuple(_short(record.text_of(entry)) for entry in last)
    return Line(row, said, bool(last) and last[-1].by == "citizen", page, rings)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _PREVIEW else flat[:_PREVIEW].rstrip() + "…"


def _last_words(tx: Connection, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """The newest entries of each ticket that the citizen or a human of ours said, newest last."""
    back = func.row_number().over(partition_by=entries.c.ticket_id, order_by=entries.c.id.desc())
    spoken = (
        select(entries, back.label("back"))
        .where(
            entries.c.ticket_id.in_(ids), entries.c.kind.in_(WORDS), entries.c.by.not_in(("bot", "system"))
        )
        .subquery()
    )
    last: dict[int, list[Row[Any]]] = {}
    for row in tx.execute(select(spoken).where(spoken.c.back <= _LAST).order_by(spoken.c.id)):
        last.setdefault(row.ticket_id, []).append(row)
    return last


def _ringing(tx: Connection) -> dict[int, tuple[str, ...]]:
    """Whose phone rings for which ticket."""
    rings: dict[int, tuple[str, ...]] = {}
    query = (
        select(pages.c.ticket_id, attempts.c.person)
        .join(attempts, attempts.c.page_id == pages.c.id)
        .where(pages.c.state == "ringing", attempts.c.state.in_(RINGING))
        .order_by(attempts.c.id)
    )
    for ticket, person in tx.execute(query):
        rings[ticket] = tuple(dict.fromkeys((*rings.get(ticket, ()), person)))
    return rings


def _bubble(record: Record, entry: Row[Any]) -> Bubble:
    return Bubble(
        entry.id, _side(entry.by, entry.kind), entry.by, entry.kind, record.text_of(entry), entry.at
    )


def _side(by: str, kind: str) -> str:
    if kind == "note":
        return "note"
    if kind not in WORDS:
        return "event"
    return by if by in ("citizen", "bot") else "human"


def _relayed(bubbles: Sequence[Bubble]) -> bool:
    """Whether words go from human to human now: the last handoff entry says that it goes on."""
    handoffs = [bubble.text for bubble in bubbles if bubble.kind == "handoff"]
    return bool(handoffs) and handoffs[-1].startswith(("started", "passed"))
