"""The rail: what just happened, as beads with their times, read from the database and from the phones.

Rows give what the product did (stored, understood, ticket, page, joined, closed); the stand-ins' record
gives what the phones saw (ringing, key). No citizen's word is in a bead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from sandbox.record import Event
from store.schema import inbox, outbox, pages, tickets

_LOOK_BACK = 60  # rows of each table; a demo is never busier between two looks
_PHONE_BEADS = {
    "rings": "ringing",
    "picked_up": "picked_up",
    "key": "key",
    "sms": "sms",
    "ended": "call_over",
}


@dataclass(frozen=True, slots=True)
class Bead:
    """One thing that happened. `name` makes it happen once; `at` in milliseconds since 1970."""

    name: str
    kind: str
    at: int
    who: str = ""
    ref: str = ""
    risk: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "name": self.name,
            "kind": self.kind,
            "at": self.at,
            "who": self.who,
            "ref": self.ref,
            "risk": self.risk,
        }


@dataclass(slots=True)
class Rail:
    """All beads since `since`. `people` = phone number -> roster key."""

    since: datetime
    people: dict[str, str]
    beads: dict[str, Bead] = field(default_factory=dict)
    _heard: int = 0

    def hear(self, events: Sequence[Event]) -> None:
        """Takes what happened on the on-call phones; `events` is everything so far."""
        fresh, self._heard = events[self._heard :], len(events)
        for event in fresh:
            kind = _PHONE_BEADS.get(event["kind"])
            if event["provider"] != "twilio" or kind is None or (kind == "key" and not event["heard"]):
                continue
            name, at = f"event {event['number']}", round(event["at"] * 1000)
            self.beads[name] = Bead(name, kind, at, self.people.get(event["phone"], ""))

    def look(self, tx: Connection) -> None:
        """Takes what the database has."""
        for bead in self._rows(tx):
            self.beads.setdefault(bead.name, bead)

    def _rows(self, tx: Connection) -> Iterator[Bead]:
        yield from self._stimuli(tx)
        yield from self._answers(tx)
        yield from self._tickets(tx)
        yield from self._pages(tx)

    def _stimuli(self, tx: Connection) -> Iterator[Bead]:
        ours = inbox.c.received_at >= self.since
        query = select(inbox.c.id, inbox.c.channel, inbox.c.received_at, inbox.c.done_at).where(ours)
        for row in tx.execute(query.order_by(inbox.c.id.desc()).limit(_LOOK_BACK)):
            if row.channel == "inner":
                continue
            yield Bead(f"stored {row.id}", "stored", _ms(row.received_at), row.channel)
            if row.done_at is not None:
                yield Bead(f"done {row.id}", "understood", _ms(row.done_at))

    def _answers(self, tx: Connection) -> Iterator[Bead]:
        sent = outbox.c.sent_at >= self.since
        query = select(outbox.c.id, outbox.c.key, outbox.c.channel, outbox.c.sent_at).where(sent)
        for row in tx.execute(query.order_by(outbox.c.id.desc()).limit(_LOOK_BACK)):
            kind = "human_word" if row.key == "human" else "answered"
            yield Bead(f"sent {row.id}", kind, _ms(row.sent_at), row.channel)

    def _tickets(self, tx: Connection) -> Iterator[Bead]:
        query = select(tickets).where(tickets.c.opened_at >= self.since)
        for row in tx.execute(query.order_by(tickets.c.id.desc()).limit(_LOOK_BACK)):
            yield Bead(f"ticket {row.id}", "ticket", _ms(row.opened_at), ref=row.ref, risk=row.risk)
            if row.closed_at is not None:
                closed = f"closed {row.id} {_ms(row.closed_at)}"
                yield Bead(closed, "closed", _ms(row.closed_at), row.assigned_to or "", row.ref)

    def _pages(self, tx: Connection) -> Iterator[Bead]:
        query = select(pages, tickets.c.ref).join(tickets, tickets.c.id == pages.c.ticket_id)
        ours = query.where(pages.c.needed_at >= self.since).order_by(pages.c.id.desc()).limit(_LOOK_BACK)
        for row in tx.execute(ours):
            yield Bead(f"page {row.id}", "page", _ms(row.needed_at), ref=row.ref)
            if row.acknowledged_at is not None:
                name = f"joined {row.id} {_ms(row.acknowledged_at)}"
                yield Bead(name, "joined", _ms(row.acknowledged_at), row.acknowledged_by or "", row.ref)
            if row.exhausted_at is not None:
                yield Bead(f"exhausted {row.id} {_ms(row.exhausted_at)}", "exhausted", _ms(row.exhausted_at))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
