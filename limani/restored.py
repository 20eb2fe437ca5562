"""What a restored database must not do, and must do: it wakes up in another night than it fell asleep in.

The copy says "ring" where somebody may have come long ago, and "send" where the citizen may have read it.
A page that is older than OLD does not ring by itself at once: it is shown as an alarm, and a human who knows
what happened has HOLD to take or close it; then it rings, because silence may mean that nobody came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from bot.message import Lane, MessageState
from store.backup import TAKEN
from store.schema import attempts, entries, inbox, logins, marks, outbox, pages, tickets
from tickets.record import Record
from tickets.states import AttemptState, PageState

OLD = timedelta(minutes=15)  # a younger page rings on: a second call is a nuisance, a lost one may be a death
HOLD = timedelta(minutes=15)  # how long a human has before an old page rings anew
LINE = "restored from a backup: what happened after it is not known"
_BEHIND_ALL_STEPS = 10_000  # where the policy has a page rest between two rounds
_UNSENT = (MessageState.due, MessageState.sending, MessageState.unknown)
_ALIVE = (AttemptState.due, AttemptState.sending, AttemptState.ringing, AttemptState.unknown)


@dataclass(frozen=True, slots=True)
class Woken:
    """`newest` = the last sign of life in the copy; `held` = references whose pages wait for a human's eye;
    `rings` = pages young enough to ring on; `unsent` = old messages that are not sent any more."""

    newest: datetime | None
    held: tuple[str, ...]
    rings: int
    unsent: int


def wake(tx: Connection, record: Record, now: datetime) -> Woken:
    """Settles the rows of another night, in the transaction that restores them."""
    newest = _newest(tx)
    tx.execute(delete(marks).where(marks.c.name == TAKEN))
    tx.execute(delete(logins))  # whoever was signed in then has to show again who he or she is
    held = _hold(tx, record, now)
    searching = pages.c.state.in_((PageState.needed, PageState.ringing))
    rings = tx.execute(select(func.count()).where(searching)).scalar_one()
    return Woken(newest, held, rings, _let_rest(tx, record, now))


def _newest(tx: Connection) -> datetime | None:
    times = [tx.execute(select(func.max(column))).scalar() for column in (inbox.c.received_at, entries.c.at)]
    return max((time for time in times if time is not None), default=None)


def _hold(tx: Connection, record: Record, now: datetime) -> tuple[str, ...]:
    """Old pages: no call of that night is repeated, and the second clock is given a new start."""
    live = (PageState.needed, PageState.ringing, PageState.exhausted)
    found = (
        select(pages.c.id, pages.c.ticket_id, tickets.c.ref)
        .join(tickets, pages.c.ticket_id == tickets.c.id)
        .where(pages.c.state.in_(live), pages.c.needed_at < now - OLD)
        .order_by(pages.c.needed_at)
    )
    rows = tx.execute(found).all()
    for row in rows:
        rests = {"state": PageState.exhausted, "step": _BEHIND_ALL_STEPS, "due_at": now + HOLD}
        tx.execute(update(pages).where(pages.c.id == row.id).values(exhausted_at=now, **rests))
        alive = (attempts.c.page_id == row.id, attempts.c.state.in_(_ALIVE))
        over = {"state": AttemptState.cancelled, "why": "restored", "ended_at": now, "due_at": None}
        tx.execute(update(attempts).where(*alive).values(lease_owner=None, **over))
        record.add(tx, row.ticket_id, "system", "page", LINE, now)
    taken = (pages.c.state == PageState.acknowledged, pages.c.contact_due_at < now + HOLD)
    tx.execute(update(pages).where(*taken).values(contact_due_at=now + HOLD))
    return tuple(row.ref for row in rows)


def _let_rest(tx: Connection, record: Record, now: datetime) -> int:
    """Old messages have most likely been read. Urgent ones are of unknown outcome and said once more; the
    rest would come as a riddle hours later, so staff are told instead."""
    old = (outbox.c.state.in_(_UNSENT), outbox.c.created_at < now - OLD)
    urgent = outbox.c.lane == int(Lane.urgent)
    again = {"state": MessageState.unknown, "lease_owner": None, "doubts": outbox.c.doubts + 1}
    sending = or_(outbox.c.state == MessageState.sending, outbox.c.doubts == 0)
    tx.execute(update(outbox).where(*old, urgent, sending).values(**again))
    rows = tx.execute(select(outbox.c.id, outbox.c.ticket_id).where(*old, ~urgent)).all()
    for ticket in sorted({row.ticket_id for row in rows if row.ticket_id is not None}):
        record.add(tx, ticket, "system", "status", "perhaps not delivered: restored from a backup", now)
    values = {"state": MessageState.failed, "why": "restored", "lease_owner": None}
    tx.execute(update(outbox).where(*old, ~urgent).values(**values))
    return len(rows)
