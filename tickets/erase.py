"""Forgets people: their words, names and addresses, while references, times, topics and outcomes stay.

Nothing is deleted but the session: a sealed value is sealed again as an empty one, so the statistics and
the append-only log keep every line. What is empty already is known by its length, so a run may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from store.ids import Ids
from store.schema import addresses, citizens, entries, inbox, outbox, sessions, tickets, waits
from store.vault import Vault
from tickets.states import TicketStatus

BATCH = 200  # values in one transaction: a running server waits for no more than these
KINDS = 4  # entries, tickets, inbox, outbox
ERASED = "erased"
OUR_OWN_KINDS = ("status", "page", "handoff")  # lines that Limani writes: when what happened, no words
_EMPTY_BODY = "{}"
_EMPTY_MESSAGE = json.dumps({"text": "", "buttons": [], "location": False, "phone": False})


class StillOpen(Exception):
    """The citizen has open tickets: `refs`. Somebody still works with these words."""

    def __init__(self, refs: list[str]) -> None:
        super().__init__(f"still open: {', '.join(refs)}")
        self.refs = refs


@dataclass(frozen=True, slots=True)
class _Words:
    """One sealed column and what an empty value of it says."""

    table: Table
    column: Column[Any]
    empty: str
    where: ColumnElement[bool]


class Eraser:
    """Erases one citizen, or, for retention, everything that has been over for long enough."""

    def __init__(self, vault: Vault, ids: Ids) -> None:
        self._vault = vault
        self._ids = ids

    def erase(self, tx: Connection, citizen: int, now: datetime, *, even_open: bool = False) -> int:
        """Forgets one citizen in this transaction; returns how many values are empty now. What was waiting
        to be understood or sent is not taken up any more. Raises StillOpen unless `even_open`."""
        refs = _open_refs(tx, citizen)
        if refs and not even_open:
            raise StillOpen(refs)
        _stop(tx, citizen, now)
        count = sum(self._empty(tx, words) for words in _of_citizen(citizen))
        tx.execute(delete(sessions).where(sessions.c.citizen_id == citizen))
        tx.execute(delete(waits).where(waits.c.citizen_id == citizen))
        tx.execute(update(tickets).where(tickets.c.citizen_id == citizen).values(district=None))
        return count + self._bury(tx, citizen)

    def over(self, tx: Connection, before: datetime, kind: int, after: int) -> list[int]:
        """Up to BATCH rows after `after` of one kind of words (0 to KINDS - 1) that were over before that
        moment. A long look, for a reader: those who write wait for none of it."""
        return self._longer(tx, _over(before)[kind], BATCH, after)

    def empty(self, tx: Connection, before: datetime, kind: int, rows: Sequence[int]) -> int:
        """Empties these rows, if they are over still; how many."""
        words = _over(before)[kind]
        (key,) = words.table.primary_key.columns
        return self._empty(tx, replace(words, where=and_(words.where, key.in_(rows))))

    def silent(self, tx: Connection, before: datetime, after: int) -> list[int]:
        """Up to BATCH citizens after `after` who have no open ticket and have been silent since before that
        moment. A long look as well."""
        query = _silent(before).where(citizens.c.id > after).limit(BATCH)
        return list(tx.execute(query).scalars())

    def forget(self, tx: Connection, before: datetime, people: Sequence[int], now: datetime) -> int:
        """Forgets these citizens, if they are silent still: addresses and sessions too. Returns how many."""
        found = list(tx.execute(_silent(before).where(citizens.c.id.in_(people))).scalars())
        for citizen in found:
            self.erase(tx, citizen, now)
        return len(found)

    def _longer(self, tx: Connection, words: _Words, most: int | None = None, after: int = -1) -> list[int]:
        """Rows that hold more than an empty value."""
        (key,) = words.table.primary_key.columns
        longer = func.length(words.column) > len(self._seal(words, 0))
        query = select(key).where(longer, words.where, key > after).order_by(key).limit(most)
        return list(tx.execute(query).scalars())

    def _empty(self, tx: Connection, words: _Words) -> int:
        (key,) = words.table.primary_key.columns
        rows = self._longer(tx, words)
        for row in rows:
            values = {words.column.name: self._seal(words, row)}
            tx.execute(update(words.table).where(key == row).values(**values))
        return len(rows)

    def _seal(self, words: _Words, row: int) -> bytes:
        return self._vault.seal(words.table.name, row, words.column.name, words.empty)

    def _bury(self, tx: Connection, citizen: int) -> int:
        """Addresses that no phone has. Whoever writes from the old one is a stranger again."""
        rows = tx.execute(select(addresses).where(addresses.c.citizen_id == citizen)).all()
        for row in rows:
            tombstone = f"{ERASED} {self._ids.token()}"
            values = {
                "address": self._vault.seal("addresses", row.id, "address", tombstone),
                "address_index": self._vault.indexes(f"address:{row.channel}", tombstone)[0],
            }
            buried = {"name": None, "state": ERASED, "blocked_at": None}
            tx.execute(update(addresses).where(addresses.c.id == row.id).values(**values, **buried))
        return len(rows)


def _open_refs(tx: Connection, citizen: int) -> list[str]:
    mine = (tickets.c.citizen_id == citizen, tickets.c.status != TicketStatus.closed)
    return list(tx.execute(select(tickets.c.ref).where(*mine).order_by(tickets.c.id)).scalars())


def _stop(tx: Connection, citizen: int, now: datetime) -> None:
    """Whoever is at work on one of these finds at the end that the row is not his or hers any more."""
    pending = and_(inbox.c.citizen_id == citizen, inbox.c.state.in_(["new", "taken"]))
    done = {"state": "done", "done_at": now, "why": ERASED, "lease_owner": None}
    tx.execute(update(inbox).where(pending).values(**done))
    waiting = and_(outbox.c.citizen_id == citizen, outbox.c.state.in_(["due", "sending", "unknown"]))
    failed = {"state": "failed", "why": ERASED, "lease_owner": None}
    tx.execute(update(outbox).where(waiting).values(**failed))
    # By its own id the provider could still be asked to whom a message went.
    tx.execute(update(outbox).where(outbox.c.citizen_id == citizen).values(provider_id=None))


def _of_citizen(citizen: int) -> list[_Words]:
    cases = select(tickets.c.id).where(tickets.c.citizen_id == citizen)
    spoken = entries.c.kind.not_in(OUR_OWN_KINDS)
    return [
        _Words(inbox, inbox.c.body, _EMPTY_BODY, inbox.c.citizen_id == citizen),
        _Words(outbox, outbox.c.body, _EMPTY_MESSAGE, outbox.c.citizen_id == citizen),
        _Words(entries, entries.c.text, "", and_(entries.c.ticket_id.in_(cases), spoken)),
        _Words(tickets, tickets.c.answers, _EMPTY_BODY, tickets.c.citizen_id == citizen),
    ]


def _over(before: datetime) -> list[_Words]:
    """Words of tickets that were closed, and of conversations that ended, before that moment. A citizen
    with an open ticket keeps the conversation that may have led to it."""
    over = and_(tickets.c.status == TicketStatus.closed, tickets.c.closed_at < before)
    cases = select(tickets.c.id).where(over)
    spoken = entries.c.kind.not_in(OUR_OWN_KINDS)
    heard = and_(inbox.c.received_at < before, inbox.c.state.in_(["done", "quarantined"]))
    said = and_(outbox.c.created_at < before, outbox.c.state.in_(["sent", "failed", "blocked"]))
    return [
        _Words(entries, entries.c.text, "", and_(entries.c.ticket_id.in_(cases), spoken)),
        _Words(tickets, tickets.c.answers, _EMPTY_BODY, over),
        _Words(inbox, inbox.c.body, _EMPTY_BODY, and_(heard, ~_has_open(inbox.c.citizen_id))),
        _Words(outbox, outbox.c.body, _EMPTY_MESSAGE, and_(said, ~_has_open(outbox.c.citizen_id))),
    ]


def _has_open(citizen: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(tickets.c.citizen_id == citizen, tickets.c.status != TicketStatus.closed)


def _silent(before: datetime) -> Any:
    """Citizens of whom nothing was heard or written since, and who are not erased yet."""
    mine = citizens.c.id
    live = exists().where(addresses.c.citizen_id == mine, addresses.c.state != ERASED)
    heard = exists().where(inbox.c.citizen_id == mine, inbox.c.received_at >= before)
    case = and_(
        tickets.c.citizen_id == mine, or_(tickets.c.closed_at.is_(None), tickets.c.closed_at >= before)
    )
    return (
        select(mine).where(citizens.c.created_at < before, live, ~heard, ~exists().where(case)).order_by(mine)
    )
