"""Moves every page on that is due, in one transaction: the decisions of `policy` become rows.

Level-triggered: nobody tells the pager anything. It looks at what is owed, so a restart resumes by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, func, or_, select
from sqlalchemy.exc import DBAPIError

from bot.inbox import Inbox
from escalation.acknowledge import Acknowledgements, with_ticket
from escalation.attempts import ACCOUNT_REFUSED, NUMBER_REFUSED, Attempts
from escalation.duty import Duty
from escalation.policy import (
    Begin,
    Decision,
    Exhaust,
    Frozen,
    PageView,
    Pause,
    TryView,
    Wait,
    freeze,
    next_move,
    thaw,
)
from escalation.watch import pageless
from flows.session import StimulusKind
from store.clock import to_micros
from store.database import StoreUnavailable
from store.moves import move
from store.schema import attempts, entries, pages, tickets
from tickets.record import Record
from tickets.states import ATTEMPT_ALIVE, PAGE_MOVES, AttemptState, PageState, TicketStatus

log = structlog.get_logger()
SEARCHING = (PageState.needed, PageState.ringing, PageState.exhausted)


class Progress:
    """One pass over all pages."""

    def __init__(
        self, record: Record, inbox: Inbox, known: Attempts, acknowledged: Acknowledgements, duty: Duty
    ) -> None:
        self._record = record
        self._inbox = inbox
        self._attempts = known
        self._acknowledged = acknowledged
        self._duty = duty

    def pass_over(self, tx: Connection, now: datetime) -> bool:
        """Everything that is due now. True when a conversation has something to hear of it."""
        for ticket in pageless(tx):
            self._record.need_page(tx, ticket, now)
        told = self._second_clock(tx, now)
        found = _searching(tx)
        tries = _present_tries(tx)
        for page in found:
            told |= self._alone(tx, page, tries[page.id], now)
        return told

    def _alone(self, tx: Connection, page: Row[Any], tries: Sequence[TryView], now: datetime) -> bool:
        """One page by itself: whatever is wrong with it, the others are paged. Only one that has something to
        do gets a savepoint: most of those that ring just ring."""
        try:
            if page.status == TicketStatus.closed:
                with tx.begin_nested():
                    self._acknowledged.cancel(tx, page.ticket_id, now)
                return False
            frozen = thaw(page.policy) if page.policy else self._begin(page)
            decision = self._decide(page, frozen, tries, now)
            if isinstance(decision, Wait):
                return False
            with tx.begin_nested():
                return self._make_true(tx, page, frozen, decision, now)
        except (DBAPIError, StoreUnavailable):
            raise
        except Exception as error:
            log.error("page_stuck", page=page.id, error=type(error).__name__)
            return False

    def _second_clock(self, tx: Connection, now: datetime) -> bool:
        told = False
        for page in tx.execute(_acknowledged().with_for_update(skip_locked=True, of=pages)).all():
            if page.heard:
                self._acknowledged.contacted(tx, page.ticket_id, now)
            elif page.contact_due_at <= now:
                told |= self._acknowledged.missed(tx, page, now)
            else:
                self._acknowledged.keep_clock(tx, page, now)
        return told

    def _decide(self, page: Row[Any], frozen: Frozen, tries: Sequence[TryView], now: datetime) -> Decision:
        view = PageView(
            started=page.state != PageState.needed,
            alarm=page.state == PageState.exhausted,
            round=page.round,
            step=page.step,
            due_at=page.due_at,
            passed_over=frozenset(page.passed_over),
        )
        return next_move(frozen, view, tries, self._duty.roster, self._duty.usable, now)

    def _begin(self, page: Row[Any]) -> Frozen:
        return thaw(freeze(self._duty.policy, page.round))

    def _make_true(
        self, tx: Connection, page: Row[Any], frozen: Frozen, decision: Decision, now: datetime
    ) -> bool:
        match decision:
            case Wait():
                return False
            case Begin():
                self._ring(tx, page, frozen, decision, now)
                return False
            case Exhaust(round_, again_at):
                return self._exhaust(tx, page, frozen, round_, again_at, now)
            case Pause(round_, again_at):
                self._advance(tx, page, frozen, PageState.exhausted, round_, again_at, now)
                return False

    def _ring(self, tx: Connection, page: Row[Any], frozen: Frozen, begin: Begin, now: datetime) -> None:
        to = PageState.exhausted if page.state == PageState.exhausted else PageState.ringing
        values = {"round": begin.round, "step": begin.step, "due_at": begin.until}
        if self._to(tx, page, to, now, policy=_kept(frozen), **values):
            self._attempts.plan(tx, page.id, begin, now)
            people = ", ".join(dict.fromkeys(ring.person for ring in begin.rings))
            means = "+".join(dict.fromkeys(ring.means for ring in begin.rings))
            self._record.add(tx, page.ticket_id, "system", "page", f"paging {people} by {means}", now)

    def _exhaust(
        self, tx: Connection, page: Row[Any], frozen: Frozen, round_: int, again_at: datetime, now: datetime
    ) -> bool:
        if not self._advance(tx, page, frozen, PageState.exhausted, round_, again_at, now, exhausted_at=now):
            return False
        log.error("page_exhausted", page=page.id, ticket=page.ticket_id, round=round_)
        self._record.add(tx, page.ticket_id, "system", "page", "page exhausted", now)
        self._record.unassign(tx, page.ticket_id, now)
        key = f"page:{page.id}:exhausted:{to_micros(page.needed_at)}"
        self._inbox.put_inner(tx, page.citizen_id, StimulusKind.page_exhausted, key, now, ref=page.ref)
        return True

    def _advance(
        self,
        tx: Connection,
        page: Row[Any],
        frozen: Frozen,
        to: PageState,
        round_: int,
        again_at: datetime,
        now: datetime,
        **values: Any,
    ) -> bool:
        """To the end of a round: the step behind the last one is the pause before the next round."""
        rest = {"round": round_, "step": len(frozen.policy.steps), "due_at": again_at}
        return self._to(tx, page, to, now, policy=_kept(frozen), **rest, **values)

    def _to(self, tx: Connection, page: Row[Any], to: PageState, now: datetime, **values: Any) -> bool:
        """One conditional update: nobody has moved the page since it was read."""
        unmoved = (pages.c.state == page.state, pages.c.round == page.round, pages.c.step == page.step)
        if not move(tx, pages, page.id, PAGE_MOVES, to, *unmoved, **values):
            return False
        if page.due_at <= now and page.state != PageState.needed:
            self._attempts.close_step(tx, page.id, page.round, page.step, now)
        return True


def _kept(frozen: Frozen) -> dict[str, Any]:
    kept = freeze(frozen.policy, 0)
    return {**kept, "last_round": frozen.last_round}


def _searching(tx: Connection) -> Sequence[Row[Any]]:
    query = with_ticket().where(pages.c.state.in_(SEARCHING)).order_by(pages.c.due_at)
    return tx.execute(query.with_for_update(skip_locked=True, of=pages)).all()


def _present_tries(tx: Connection) -> defaultdict[int, list[TryView]]:
    """The attempts of each searching page's present step."""
    present = and_(
        attempts.c.page_id == pages.c.id,
        attempts.c.round == pages.c.round,
        attempts.c.step == pages.c.step,
    )
    told = (attempts.c.means, attempts.c.state, attempts.c.tries, attempts.c.why)
    query = select(attempts.c.page_id, *told)
    rows = tx.execute(query.join(pages, present).where(pages.c.state.in_(SEARCHING))).all()
    grouped: defaultdict[int, list[TryView]] = defaultdict(list)
    for row in rows:
        due = row.state == AttemptState.due
        alive = row.state in ATTEMPT_ALIVE and not (due and row.why == NUMBER_REFUSED)
        unsent, hopeless = due and row.tries == 0, row.why == ACCOUNT_REFUSED
        grouped[row.page_id].append(TryView(row.means, alive, unsent, hopeless))
    return grouped


def _acknowledged() -> Any:
    """Pages whose second clock runs, and whether the citizen has heard a human since."""
    words = and_(
        entries.c.ticket_id == pages.c.ticket_id,
        entries.c.kind == "said",
        entries.c.at >= pages.c.acknowledged_at,
        entries.c.by.not_in(["citizen", "bot", "system"]),
    )
    first = func.coalesce(tickets.c.first_human_word_at >= pages.c.acknowledged_at, False)
    heard = or_(first, select(entries.c.id).where(words).exists()).label("heard")
    return with_ticket().add_columns(heard).where(pages.c.state == PageState.acknowledged)
