"""What happened, as transcript lines: read from the rows, in the order in which they were written.

Ids grow with time, so one ordered walk over the new rows of four tables tells the story exactly and
completely. References are shown as T1, T2: a transcript must not depend on chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bot.outbox import Outbox
from store.schema import attempts, entries, outbox, pages, tickets
from tickets.record import Record

_TOLD = (tickets, outbox, attempts, entries)
_SHOWN_ENTRIES = ("status", "page", "handoff", "note")
Line = tuple[int, list[str]]


@dataclass(slots=True)
class Collector:
    """Remembers how far it has told the story."""

    record: Record
    outbox: Outbox
    last: int = 0
    names: dict[str, str] = field(default_factory=dict)

    def new_lines(self, tx: Connection) -> list[str]:
        """The lines for every row written since the last call."""
        found: list[Line] = [
            *self._opened(tx),
            *self._messages(tx),
            *self._attempts(tx),
            *self._entries(tx),
        ]
        found.sort(key=lambda line: line[0])
        self.last = max(self.last, self._newest(tx))
        return [self._named(line) for _, lines in found for line in lines]

    def _newest(self, tx: Connection) -> int:
        """The newest row of the four tables."""
        newest = [tx.execute(select(func.max(table.c.id))).scalar() for table in _TOLD]
        return max(row or 0 for row in newest)

    def _opened(self, tx: Connection) -> Iterator[Line]:
        for row in tx.execute(select(tickets).where(tickets.c.id > self.last).order_by(tickets.c.id)):
            self.names[row.ref] = f"T{len(self.names) + 1}"
            kind = f" kind={row.risk_kind}" if row.risk_kind else ""
            yield row.id, [f"=> ticket {row.ref} opened topic={row.topic} risk={row.risk}{kind}"]

    def _messages(self, tx: Connection) -> Iterator[Line]:
        query = select(outbox).where(outbox.c.id > self.last).order_by(outbox.c.id)
        for row in tx.execute(query):
            body = self.outbox.open(row.id, row.body)
            speaker = "human" if row.key == "human" else f"bot {row.key}"
            state = "" if row.state == "sent" else f" ({row.state})"
            lines = [f"{speaker}{state}: {_indented(body['text'])}"]
            extras = ["(share place)"] * body["location"] + ["(share number)"] * body["phone"]
            labels = [f"[{label}]" for _, label in body["buttons"]] + extras
            if labels:
                lines.append("  " + " ".join(labels))
            yield row.id, lines

    def _attempts(self, tx: Connection) -> Iterator[Line]:
        query = (
            select(attempts, pages.c.ticket_id)
            .join(pages, attempts.c.page_id == pages.c.id)
            .where(attempts.c.id > self.last, attempts.c.means.in_(("voice", "sms")))
            .order_by(attempts.c.id)
        )
        rows: Sequence[Row[Any]] = tx.execute(query).all()
        for (page, _, _, person), tried in groupby(
            rows, key=lambda row: (row.page_id, row.round, row.step, row.person)
        ):
            group = list(tried)
            means = "+".join(row.means for row in group)
            yield group[0].id, [f"=> page {self._page(tx, page)} -> {person} by {means}"]

    def _entries(self, tx: Connection) -> Iterator[Line]:
        query = (
            select(entries, tickets.c.ref, tickets.c.assigned_to)
            .join(tickets, entries.c.ticket_id == tickets.c.id)
            .where(entries.c.id > self.last)
            .order_by(entries.c.id)
        )
        for row in tx.execute(query):
            if row.by == "citizen":
                if row.assigned_to:
                    yield row.id, [f"=> {row.assigned_to} reads: {_indented(self.record.text_of(row))}"]
            elif row.kind in _SHOWN_ENTRIES and not _told_already(text := self.record.text_of(row)):
                by = "" if row.by == "system" else f" ({row.by})"
                yield row.id, [f"=> {row.kind} {row.ref}{by}: {_indented(text)}"]

    def _page(self, tx: Connection, page: int) -> str:
        """P1 for the first page of the transcript, and so on."""
        earlier = select(pages.c.id).where(pages.c.id <= page)
        return f"P{len(tx.execute(earlier).all())}"

    def _named(self, line: str) -> str:
        for ref, name in self.names.items():
            line = line.replace(ref, name)
        return line


def _told_already(text: str) -> bool:
    """The opening and the ringing of phones have lines of their own."""
    return text == "opened" or text.startswith("paging ")


def _indented(text: str) -> str:
    """A text of several lines, its later lines set under the first."""
    return text.replace("\n", "\n    ").replace("\n    \n", "\n    .\n")
