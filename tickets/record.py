"""Tickets and their log: open, add, raise, assign, close. Every change is an entry; no entry changes.

All functions take the transaction they belong to, so that a ticket and what it is about commit together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from store.ids import Ids
from store.moves import move
from store.prepared import Prepared, PreparedInsert
from store.schema import entries, pages, tickets
from store.vault import Vault
from tickets.states import PAGE_LIVE, TICKET_MOVES, PageState, TicketStatus

_ADD = PreparedInsert(entries)
_ID_OF = Prepared(select(tickets.c.id).where(tickets.c.ref == bindparam("given")))
_OPEN = PreparedInsert(
    tickets,
    *("id", "ref", "citizen_id", "topic", "risk", "risk_kind", "status", "channel", "language", "district"),
    *("wants_human", "answers", "opened_at"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """What opening a ticket needs to know."""

    ref: str
    citizen_id: int
    topic: str
    risk: str
    risk_kind: str | None
    channel: str
    language: str
    answers: Mapping[str, Any]
    district: str | None = None


class Record:
    """The ticket log. Holds the vault and the ids; keeps no state of its own."""

    def __init__(self, vault: Vault, ids: Ids) -> None:
        self._vault = vault
        self._ids = ids

    def open(self, tx: Connection, case: Case, now: datetime) -> int:
        """Opens a ticket and returns its id. Raises IntegrityError if the reference is taken."""
        row = self._ids.new()
        _OPEN.run(
            tx,
            id=row,
            ref=case.ref,
            citizen_id=case.citizen_id,
            topic=case.topic,
            risk=case.risk,
            risk_kind=case.risk_kind,
            status=TicketStatus.open.value,
            channel=case.channel,
            language=case.language,
            district=case.district,
            wants_human=False,
            answers=self._seal_answers(row, case.answers),
            opened_at=now,
        )
        self.add(tx, row, "system", "status", "opened", now)
        return row

    def add(self, tx: Connection, ticket: int, by: str, kind: str, text: str, now: datetime) -> int:
        """Appends one line to a ticket's log and returns its id."""
        line = self.line(ticket, by, kind, text, now)
        _ADD.run(tx, **line)
        return int(line["id"])

    def line(self, ticket: int, by: str, kind: str, text: str, now: datetime) -> dict[str, Any]:
        """One line of a ticket's log, for `add_all`."""
        row = self._ids.new()
        sealed = self._vault.seal("entries", row, "text", text)
        return {"id": row, "ticket_id": ticket, "at": now, "by": by, "kind": kind, "text": sealed}

    def add_all(self, tx: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
        """Appends lines to the logs of their tickets."""
        _ADD.many(tx, lines)

    def add_answers(self, tx: Connection, ticket: int, answers: Mapping[str, Any], now: datetime) -> None:
        """Adds answers to those that the ticket has; a later answer replaces an earlier one."""
        sealed = tx.execute(select(tickets.c.answers).where(tickets.c.id == ticket)).scalar_one()
        merged = {**self.open_answers(ticket, sealed), **answers}
        tx.execute(
            update(tickets).where(tickets.c.id == ticket).values(answers=self._seal_answers(ticket, merged))
        )

    def raise_risk(self, tx: Connection, ticket: int, risk: str, kind: str | None, now: datetime) -> None:
        """Writes the greater danger on the ticket; the log keeps when it was seen."""
        tx.execute(update(tickets).where(tickets.c.id == ticket).values(risk=risk, risk_kind=kind))
        self.add(tx, ticket, "system", "status", f"risk {risk}", now)

    def assign(self, tx: Connection, ticket: int, person: str, now: datetime) -> None:
        """Gives the ticket to a responder."""
        if move(
            tx, tickets, ticket, TICKET_MOVES, TicketStatus.assigned, column="status", assigned_to=person
        ):
            self.add(tx, ticket, person, "status", "assigned", now)

    def unassign(self, tx: Connection, ticket: int, now: datetime) -> None:
        """Nobody has the ticket any more: it is open again."""
        if move(tx, tickets, ticket, TICKET_MOVES, TicketStatus.open, column="status", assigned_to=None):
            self.add(tx, ticket, "system", "status", "open", now)

    def close(self, tx: Connection, ticket: int, person: str, outcome: str, now: datetime) -> bool:
        """Closes the ticket with an outcome word and ends what it still owed. False if it was closed."""
        closed = move(
            tx,
            tickets,
            ticket,
            TICKET_MOVES,
            TicketStatus.closed,
            column="status",
            closed_at=now,
            outcome=outcome,
        )
        if closed:
            self.add(tx, ticket, person, "status", f"closed {outcome}", now)
        return closed

    def reopen(self, tx: Connection, ticket: int, now: datetime) -> bool:
        """Opens a closed ticket again, as nobody's."""
        values = {"closed_at": None, "outcome": None, "assigned_to": None}
        reopened = move(tx, tickets, ticket, TICKET_MOVES, TicketStatus.open, column="status", **values)
        if reopened:
            self.add(tx, ticket, "system", "status", "reopened", now)
        return reopened

    def want_human(self, tx: Connection, ticket: int) -> None:
        """Marks that the citizen asked for a person."""
        tx.execute(update(tickets).where(tickets.c.id == ticket).values(wants_human=True))

    def first_human_word(self, tx: Connection, ticket: int, now: datetime) -> None:
        """Notes when the citizen first heard a human; later calls change nothing."""
        first = tickets.c.first_human_word_at.is_(None)
        tx.execute(update(tickets).where(tickets.c.id == ticket, first).values(first_human_word_at=now))

    def need_page(self, tx: Connection, ticket: int, now: datetime) -> bool:
        """Owes the ticket a human from now on. False if a page for it is still alive."""
        # A turn and a pager may owe the same ticket a page at the same instant: one waits for the other.
        tx.execute(select(tickets.c.id).where(tickets.c.id == ticket).with_for_update())
        alive = select(pages.c.id).where(pages.c.ticket_id == ticket, pages.c.state.in_(PAGE_LIVE)).limit(1)
        if tx.execute(alive).first() is not None:
            return False
        values = {"state": PageState.needed, "due_at": now, "needed_at": now, "round": 0, "step": 0}
        tx.execute(insert(pages).values(id=self._ids.new(), ticket_id=ticket, passed_over=[], **values))
        return True

    def by_ref(self, tx: Connection, ref: str) -> Row[Any] | None:
        """The row of a ticket by its reference, as people say it: case and blanks do not matter."""
        spoken = "".join(ref.split()).upper()
        return tx.execute(select(tickets).where(tickets.c.ref == spoken)).first()

    def id_of(self, tx: Connection, ref: str | None) -> int | None:
        """The id of a ticket by its reference; None for none."""
        row = _ID_OF.first(tx, given="".join(ref.split()).upper()) if ref is not None else None
        return None if row is None else int(row.id)

    def text_of(self, entry: Row[Any]) -> str:
        """The words of an entry row."""
        return self._vault.open("entries", entry.id, "text", entry.text)

    def open_answers(self, ticket: int, sealed: bytes) -> dict[str, Any]:
        """The answers of a ticket row."""
        answers: dict[str, Any] = json.loads(self._vault.open("tickets", ticket, "answers", sealed))
        return answers

    def _seal_answers(self, ticket: int, answers: Mapping[str, Any]) -> bytes:
        text = json.dumps(dict(answers), ensure_ascii=False)
        return self._vault.seal("tickets", ticket, "answers", text)
