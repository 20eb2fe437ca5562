"""Who takes a page: any number of answers, exactly one owner, and an honest reply to each.

Two clocks: acknowledged (somebody took it) and contacted (the citizen has heard a human). A responder who
lets the second one run out loses the case, and the page goes on to the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from bot.inbox import Inbox
from escalation.attempts import Attempts
from escalation.duty import Duty
from escalation.policy import thaw, was_set_back
from flows.session import StimulusKind
from store.clock import to_micros
from store.moves import move
from store.schema import attempts, pages, tickets
from tickets.record import Record
from tickets.states import (
    ATTEMPT_MOVES,
    PAGE_LIVE,
    PAGE_MOVES,
    AttemptState,
    PageState,
    TicketStatus,
)

OWNED = frozenset({PageState.acknowledged, PageState.contacted})


class Outcome(StrEnum):
    """won: you have it now; yours: you had it already; taken: somebody else has it; over: nobody needs it."""

    won = "won"
    yours = "yours"
    taken = "taken"
    over = "over"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to somebody who answered. `who` = the roster key of whoever has the case."""

    outcome: Outcome
    ref: str
    who: str | None


class Acknowledgements:
    """Takes pages, gives them back, and notes when a human was heard."""

    def __init__(self, record: Record, inbox: Inbox, known: Attempts, duty: Duty) -> None:
        self._record = record
        self._inbox = inbox
        self._attempts = known
        self._duty = duty

    def acknowledge(
        self, tx: Connection, page: int, person: str, via: str, now: datetime, attempt: int | None = None
    ) -> Answer:
        """`person` takes a page by `via` (voice, link, console). The first one wins; the rest are told."""
        row = _page(tx, page)
        due_at = now + self._contact_within(row)
        won = move(
            tx,
            pages,
            page,
            PAGE_MOVES,
            PageState.acknowledged,
            acknowledged_by=person,
            acknowledged_at=now,
            acknowledged_via=via,
            contact_due_at=due_at,
            due_at=due_at,
        )
        if not won:
            return self._too_late(tx, page, person, via, now, attempt)
        self._settle(tx, row, person, via, now, attempt)
        return Answer(Outcome.won, row.ref, person)

    def contacted(self, tx: Connection, ticket: int, now: datetime) -> bool:
        """The citizen has heard a human: the second clock of this ticket's page stops."""
        query = select(pages.c.id).where(pages.c.ticket_id == ticket, pages.c.state == PageState.acknowledged)
        found = tx.execute(query).scalars().all()
        moves = [move(tx, pages, row, PAGE_MOVES, PageState.contacted, contacted_at=now) for row in found]
        return any(moves)

    def keep_clock(self, tx: Connection, page: Row[Any], now: datetime) -> None:
        """A second clock that ends later than it could was begun before the clock was set back: it begins
        again, so that nobody waits for an hour that was there twice."""
        within = self._contact_within(page)
        if was_set_back(page.contact_due_at, within, now):
            due = {"contact_due_at": now + within, "due_at": now + within}
            tx.execute(update(pages).where(pages.c.id == page.id).values(**due))

    def missed(self, tx: Connection, page: Row[Any], now: datetime) -> bool:
        """The second clock ran out: the case is nobody's again and the page goes on at once."""
        if not self.give_back(tx, page, now):
            return False
        person = page.acknowledged_by
        self._record.add(tx, page.ticket_id, "system", "page", f"contact missed by {person}", now)
        key = f"page:{page.id}:missed:{to_micros(page.acknowledged_at)}"
        body = {"by": person, "ref": page.ref}
        self._inbox.put_inner(tx, page.citizen_id, StimulusKind.contact_missed, key, now, **body)
        return True

    def give_back(self, tx: Connection, page: Row[Any], now: datetime) -> bool:
        """Un-acknowledges a page: it is needed again, and its last owner is asked last."""
        again = move(
            tx,
            pages,
            page.id,
            PAGE_MOVES,
            PageState.needed,
            pages.c.state == PageState.acknowledged,
            pages.c.acknowledged_at == page.acknowledged_at,
            acknowledged_by=None,
            acknowledged_at=None,
            acknowledged_via=None,
            contact_due_at=None,
            due_at=now,
            needed_at=now,
            round=page.round + 1,
            step=0,
            policy=None,
            passed_over=_with(page.passed_over, page.acknowledged_by),
        )
        if again:
            self._record.unassign(tx, page.ticket_id, now)
        return again

    def cancel(self, tx: Connection, ticket: int, now: datetime) -> None:
        """Nobody has to be found any more: the ticket was closed."""
        mine = (pages.c.ticket_id == ticket, pages.c.state.in_([*PAGE_LIVE, PageState.contacted]))
        for page in tx.execute(select(pages.c.id).where(*mine)).scalars().all():
            move(tx, pages, page, PAGE_MOVES, PageState.cancelled, ended_at=now)
            self._attempts.cancel_all(tx, page, now)

    def live_page(self, tx: Connection, ticket: int) -> Row[Any] | None:
        """The page that a ticket still owes, with its ticket's reference and citizen."""
        mine = (pages.c.ticket_id == ticket, pages.c.state.in_(PAGE_LIVE))
        return tx.execute(with_ticket().where(*mine).order_by(pages.c.id.desc())).first()

    def _contact_within(self, page: Row[Any]) -> Any:
        return thaw(page.policy).policy.contact_within if page.policy else self._duty.policy.contact_within

    def _settle(
        self, tx: Connection, page: Row[Any], person: str, via: str, now: datetime, attempt: int | None
    ) -> None:
        answered = attempt is not None and move(
            tx, attempts, attempt, ATTEMPT_MOVES, AttemptState.acknowledged, ended_at=now, due_at=None
        )
        if not answered:
            self._attempts.answered_in_console(tx, page, person, via, now)
        self._attempts.cancel_all(tx, page.id, now)
        self._record.add(tx, page.ticket_id, person, "page", f"page acknowledged by {person} via {via}", now)
        self._record.assign(tx, page.ticket_id, person, now)
        key = f"page:{page.id}:ack:{to_micros(now)}"
        body = {"by": person, "ref": page.ref}
        self._inbox.put_inner(tx, page.citizen_id, StimulusKind.page_acknowledged, key, now, **body)

    def _too_late(
        self, tx: Connection, page: int, person: str, via: str, now: datetime, attempt: int | None
    ) -> Answer:
        row = _page(tx, page)
        if row.state not in OWNED:
            return Answer(Outcome.over, row.ref, None)
        if row.acknowledged_by == person:
            return Answer(Outcome.yours, row.ref, person)
        if attempt is not None and _first_time(tx, attempt):
            told = f"late answer by {person} via {via}, {row.acknowledged_by} has it"
            self._record.add(tx, row.ticket_id, person, "page", told, now)
        return Answer(Outcome.taken, row.ref, row.acknowledged_by)


def with_ticket() -> Any:
    """Pages beside what is told of their tickets."""
    columns = (
        tickets.c.ref,
        tickets.c.citizen_id,
        tickets.c.risk,
        tickets.c.status,
        tickets.c.assigned_to,
        tickets.c.first_human_word_at,
    )
    return select(pages, *columns).join(tickets, pages.c.ticket_id == tickets.c.id)


def owner_of(ticket: Row[Any]) -> str | None:
    """The roster key of whoever has a ticket."""
    return ticket.assigned_to if ticket.status != TicketStatus.closed else None


def _page(tx: Connection, page: int) -> Row[Any]:
    row: Row[Any] = tx.execute(with_ticket().where(pages.c.id == page)).one()
    return row


def _with(passed_over: list[str], person: str) -> list[str]:
    return [*(key for key in passed_over if key != person), person]


def _first_time(tx: Connection, attempt: int) -> bool:
    """A late answer is written down once, however often the key or the button is pressed."""
    fresh = (attempts.c.id == attempt, attempts.c.why.is_distinct_from("late"))
    return tx.execute(update(attempts).where(*fresh).values(why="late")).rowcount == 1
