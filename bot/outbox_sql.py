"""The outbox's statements, compiled once. Conditions on a state are written out, because a database uses a
partial index only where it sees its very condition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, or_, select, update

from bot.message import PACE, SET_BACK, Lane, MessageState
from store.prepared import Prepared, PreparedInsert, PreparedSet
from store.schema import among, outbox

WAITING = (MessageState.due, MessageState.sending, MessageState.unknown)
READY = and_(  # said twice, because SQLite sees no further than the very condition of the index
    among(outbox.c.state, *WAITING), among(outbox.c.state, MessageState.due, MessageState.unknown)
)
# A request that was begun and never answered for is in doubt once. The second time it is in doubt from before
# it is begun (`begin`), so a crash between the claim and the request costs nobody the message.
IN_DOUBT = {
    "state": MessageState.unknown.value,
    "lease_owner": None,
    "doubts": case((outbox.c.doubts == 0, 1), else_=outbox.c.doubts),
}
LATEST = timedelta(seconds=max(PACE)) + SET_BACK


def _is_due(messages: Any) -> ColumnElement[bool]:
    due = messages.c.due_at
    return or_(due <= bindparam("now"), due > bindparam("never"))


def _waits_behind() -> ColumnElement[bool]:
    """Whether an earlier message to the same address has to go first. An urgent one overtakes broadcasts,
    and ordinary ones that wait for their next try."""
    earlier = outbox.alias()
    said_now = and_(earlier.c.lane == Lane.ordinary, _is_due(earlier))
    sending = among(earlier.c.state, MessageState.sending)
    first = or_(sending, earlier.c.lane <= outbox.c.lane, said_now)
    same = and_(earlier.c.address_id == outbox.c.address_id, earlier.c.id < outbox.c.id)
    return exists().where(same, among(earlier.c.state, *WAITING), first)


def _claim() -> Prepared:
    ready = (READY, _is_due(outbox), outbox.c.doubts < 2)
    free = select(outbox.c.id).where(*ready, outbox.c.channel == bindparam("on"), ~_waits_behind())
    some = free.order_by(outbox.c.lane, outbox.c.id).limit(bindparam("most"))
    return Prepared(
        update(outbox)
        .where(outbox.c.id.in_(some.with_for_update(skip_locked=True, of=outbox)))
        .values(
            state=MessageState.sending.value,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            attempts=outbox.c.attempts + 1,
        )
        .returning(*(outbox.c[name] for name in CLAIMED))
    )


CLAIMED = (
    *("id", "citizen_id", "address_id", "channel", "lane", "body", "attempts", "doubts"),
    *("created_at", "ticket_id"),
)
CLAIM = _claim()
LOST = Prepared(
    update(outbox)
    .where(
        among(outbox.c.state, MessageState.sending),
        or_(outbox.c.lease_until < bindparam("now"), outbox.c.lease_until > bindparam("never")),
    )
    .values(**IN_DOUBT)
)
RENEW = PreparedSet(
    update(outbox)
    .where(
        among(outbox.c.state, MessageState.sending),
        outbox.c.lease_owner == bindparam("owner"),
        outbox.c.lease_until > bindparam("now"),
    )
    .values(lease_until=bindparam("until"))
    .returning(outbox.c.id),
    outbox.c.id,
)
TWICE = Prepared(
    update(outbox)
    .where(among(outbox.c.state, MessageState.unknown), outbox.c.doubts > 1)
    .values(state=MessageState.sent.value, sent_at=bindparam("now"), why="unknown twice")
    .returning(outbox.c.id, outbox.c.ticket_id)
)
PUT = PreparedInsert(
    outbox,
    *("id", "citizen_id", "address_id", "channel", "lane", "key", "body", "state", "due_at", "attempts"),
    *("doubts", "lease_owner", "lease_until", "created_at", "ticket_id"),
)
SENT = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("row"),
        among(outbox.c.state, MessageState.sending),
        outbox.c.lease_owner == bindparam("owner"),
    )
    .values(
        state=MessageState.sent.value,
        sent_at=bindparam("now"),
        provider_id=bindparam("given"),
        lease_owner=None,
    )
)
BUSY = PreparedSet(select(outbox.c.address_id).where(among(outbox.c.state, *WAITING)), outbox.c.address_id)
BUTTON = Prepared(
    select(outbox.c.id, outbox.c.body).where(
        outbox.c.id == bindparam("row"), outbox.c.citizen_id == bindparam("citizen")
    )
)
