"""No red ticket is unattended: the one query behind the pager, /readyz and any outside monitor."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select

from store.schema import attempts, pages, tickets
from tickets.states import PAGE_LIVE, AttemptState, TicketStatus

GRACE = timedelta(seconds=10)  # a page whose next step is overdue by this is in nobody's hands


def unattended(tx: Connection, now: datetime) -> list[int]:
    """Ids of red tickets that nobody has and nobody is being found for, longest waiting first."""
    looked_after = and_(
        pages.c.ticket_id == tickets.c.id,
        pages.c.state.in_(PAGE_LIVE),
        pages.c.due_at > now - GRACE,
    )
    query = select(tickets.c.id).where(*_nobodys(), ~select(pages.c.id).where(looked_after).exists())
    return list(tx.execute(query.order_by(tickets.c.id)).scalars())


def pageless(tx: Connection) -> list[int]:
    """Ids of red tickets that nobody has and that have no page at all: they get one. Two pagers that look at
    once must not both make it: each ticket is one pager's until the end of its transaction."""
    live = and_(pages.c.ticket_id == tickets.c.id, pages.c.state.in_(PAGE_LIVE))
    query = select(tickets.c.id).where(*_nobodys(), ~select(pages.c.id).where(live).exists())
    return list(tx.execute(query.with_for_update(skip_locked=True, of=tickets)).scalars())


def next_due(tx: Connection) -> datetime | None:
    """When the pager will next have something to do by itself; None = only when something happens."""
    searching = pages.c.state.in_([*PAGE_LIVE])
    waiting = attempts.c.state.in_([AttemptState.due, AttemptState.ringing])
    leased = attempts.c.state == AttemptState.sending
    dues = [
        tx.execute(select(func.min(pages.c.due_at)).where(searching)).scalar(),
        tx.execute(select(func.min(attempts.c.due_at)).where(waiting, attempts.c.means == "voice")).scalar(),
        tx.execute(select(func.min(attempts.c.due_at)).where(attempts.c.state == AttemptState.due)).scalar(),
        tx.execute(select(func.min(attempts.c.lease_until)).where(leased)).scalar(),
    ]
    return min((due for due in dues if due is not None), default=None)


def _nobodys() -> tuple[ColumnElement[bool], ...]:
    return (
        tickets.c.risk == "red",
        tickets.c.status.in_([TicketStatus.open, TicketStatus.assigned, TicketStatus.waiting]),
        tickets.c.assigned_to.is_(None),
    )
