"""What Twilio tells about a call or a text, applied to its attempt: in order, and never undoing an end.

Callbacks come doubled, late, in any order, before the answer to our own request, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from escalation.attempts import Attempts, get
from store.moves import move
from store.schema import attempts, pages
from tickets.states import ATTEMPT_ALIVE, ATTEMPT_MOVES, PAGE_LIVE, AttemptState, PageState

_ENDS = {
    "busy": AttemptState.busy,
    "no-answer": AttemptState.unanswered,
    "failed": AttemptState.failed,
    "canceled": AttemptState.failed,
    "completed": AttemptState.declined,  # picked up and over without the key
}
_RINGS = {"queued", "initiated", "ringing", "in-progress", "answered"}
_TEXT_FAILED = {"undelivered", "failed"}


@dataclass(frozen=True, slots=True)
class CallNews:
    """A status callback or a poll. `sequence` None = not numbered."""

    sid: str
    status: str = ""
    sequence: int | None = None
    answered_by: str = ""


def is_machine(answered_by: str) -> bool:
    """Twilio's guess by timing and tone. Only a hint: it never takes a key from a human."""
    return answered_by.startswith("machine") or answered_by == "fax"


def apply_call(tx: Connection, known: Attempts, attempt: int, news: CallNews, now: datetime) -> bool:
    """Applies news of a call; True when the attempt came to an end by it."""
    row = get(tx, attempt)
    if row is None or not _newer(tx, row, news):
        return False
    if row.provider_id is None and news.sid:
        _learn_sid(tx, row, news.sid, now)
    if news.status in _RINGS:
        _goes_on(tx, known, row, news, now)
    if is_machine(news.answered_by):
        return _end(tx, row, AttemptState.machine, now, over=news.status in _ENDS)
    if news.status in _ENDS:
        return _end(tx, row, _ENDS[news.status], now, over=True)
    return False


def apply_text(tx: Connection, known: Attempts, attempt: int, sid: str, status: str, now: datetime) -> bool:
    """Applies a delivery receipt; True when the text certainly did not arrive."""
    row = get(tx, attempt)
    if row is None:
        return False
    if status in _TEXT_FAILED:
        return _end(tx, row, AttemptState.failed, now, over=True, why=status)
    if row.state in (AttemptState.sending, AttemptState.unknown):
        known.rings(tx, attempt, sid, now)
    return False


def pick_up(tx: Connection, known: Attempts, attempt: int, sid: str, now: datetime) -> None:
    """The phone was picked up: its TwiML is asked for."""
    row = get(tx, attempt)
    if row is None:
        return
    if row.provider_id is None:
        _learn_sid(tx, row, sid, now)
    _goes_on(tx, known, row, CallNews(sid, "in-progress"), now)


def _newer(tx: Connection, row: Row[Any], news: CallNews) -> bool:
    """Twilio numbers its callbacks; one that is older than what we know is dropped."""
    if row.provider_id not in (None, news.sid):
        return False
    if news.sequence is None:
        return True
    older = attempts.c.provider_seq < news.sequence
    mine = update(attempts).where(attempts.c.id == row.id, older)
    return tx.execute(mine.values(provider_seq=news.sequence)).rowcount == 1


def _learn_sid(tx: Connection, row: Row[Any], sid: str, now: datetime) -> None:
    """The callback was faster than the answer to our request, or that answer never came. A call that is
    no longer wanted has to be ended now that we know its name."""
    values: dict[str, Any] = {"provider_id": sid}
    if row.state not in ATTEMPT_ALIVE:
        values["due_at"] = now
    tx.execute(update(attempts).where(attempts.c.id == row.id).values(**values))


def _goes_on(tx: Connection, known: Attempts, row: Row[Any], news: CallNews, now: datetime) -> None:
    if news.status in ("in-progress", "answered"):
        first = (attempts.c.id == row.id, attempts.c.answered_at.is_(None))
        tx.execute(update(attempts).where(*first).values(answered_at=now))
    if row.state == AttemptState.unknown and not _needed(tx, row.page_id):
        move(tx, attempts, row.id, ATTEMPT_MOVES, AttemptState.cancelled, due_at=now)
    elif row.state in (AttemptState.sending, AttemptState.unknown):
        known.rings(tx, row.id, news.sid, now)


def _needed(tx: Connection, page: int) -> bool:
    row = tx.execute(pages.select().where(pages.c.id == page)).first()
    return row is not None and row.state in PAGE_LIVE and row.state != PageState.acknowledged


def _end(
    tx: Connection, row: Row[Any], to: AttemptState, now: datetime, *, over: bool, why: str | None = None
) -> bool:
    ended = move(tx, attempts, row.id, ATTEMPT_MOVES, to, why=why)
    if over:
        tx.execute(
            update(attempts)
            .where(attempts.c.id == row.id, attempts.c.ended_at.is_(None))
            .values(ended_at=now, due_at=None)
        )
    return ended


def gave_up(tx: Connection, attempt: int, *, silent: bool, now: datetime) -> None:
    """We end the call ourselves: nobody pressed anything, or only wrong keys."""
    row = get(tx, attempt)
    if row is not None:
        _end(tx, row, AttemptState.unanswered if silent else AttemptState.declined, now, over=True)
