"""The inbox: every stimulus is one row, kept before anybody is told that it was taken.

    new -> taken(lease) -> done | quarantined

Per citizen the order of arrival holds: a row is claimed only when no earlier one of the same citizen is
still new or taken. A lease that runs out gives the row back; the fence in `finish` keeps a slow worker
from finishing what another one has taken over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Connection, and_, exists, func, select, update

from bot.citizens import Citizens
from bot.incoming import Incoming, NotUnderstood
from flows.session import StimulusKind
from store.ids import Ids
from store.insert import insert_once
from store.moves import Moves, move
from store.schema import inbox
from store.vault import SealBroken, Vault

log = structlog.get_logger()

LEASE = timedelta(seconds=10)  # a turn takes milliseconds; this bounds the silence after a crash
INNER = "inner"  # the channel of stimuli that come from our own people and clocks


class StimulusState(StrEnum):
    """new = waiting; taken = a worker has it; quarantined = could not be handled, staff were told."""

    new = "new"
    taken = "taken"
    done = "done"
    quarantined = "quarantined"


MOVES: Moves[StimulusState] = {
    StimulusState.new: {StimulusState.taken},
    StimulusState.taken: {StimulusState.new, StimulusState.done, StimulusState.quarantined},
    StimulusState.done: set(),
    StimulusState.quarantined: set(),
}
_PENDING = (StimulusState.new.value, StimulusState.taken.value)


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed stimulus, opened. `channel` = the citizen's, for stimuli of our own people and clocks too."""

    id: int
    citizen_id: int
    channel: str
    kind: StimulusKind
    body: Mapping[str, Any]
    received_at: datetime
    attempts: int
    owner: str


class LostLease(Exception):
    """Another worker took the stimulus over; this one's result must not be written."""


class Inbox:
    """Puts, claims and finishes stimuli."""

    def __init__(self, vault: Vault, ids: Ids, citizens: Citizens) -> None:
        self._vault = vault
        self._ids = ids
        self._citizens = citizens

    def put(self, tx: Connection, incoming: Incoming, now: datetime) -> bool:
        """Keeps what a citizen did. False for a duplicate, which changes nothing."""
        if self._has(tx, incoming.channel, incoming.provider_key):
            return False
        citizen = self._citizens.of(tx, incoming, now)
        return self._insert(
            tx, incoming.channel, incoming.provider_key, citizen, incoming.kind, incoming.body(), now
        )

    def put_inner(
        self, tx: Connection, citizen: int, kind: StimulusKind, key: str, now: datetime, **body: Any
    ) -> bool:
        """Keeps what our own people or clocks did to a conversation (`key` makes it happen once).

        body: by = roster key, ref = ticket reference, text, token."""
        return self._insert(tx, INNER, key, citizen, kind, body, now)

    def put_strange(self, tx: Connection, strange: NotUnderstood, now: datetime) -> bool:
        """Keeps a body that nobody understands, out of every citizen's way."""
        row = self._ids.new()
        return insert_once(
            tx,
            inbox,
            id=row,
            channel=strange.channel,
            provider_key=strange.provider_key,
            kind="strange",
            body=self._vault.seal("inbox", row, "body", strange.raw),
            received_at=now,
            state=StimulusState.quarantined,
            attempts=0,
            why=strange.why[:200],
        )

    def claim(self, tx: Connection, owner: str, now: datetime, most: int = 32) -> list[Taken]:
        """Takes up to `most` stimuli, the oldest of each citizen, for LEASE."""
        self._give_back(tx, now)
        earlier = inbox.alias()
        waits_behind = exists().where(
            and_(
                earlier.c.citizen_id == inbox.c.citizen_id,
                earlier.c.id < inbox.c.id,
                earlier.c.state.in_(_PENDING),
            )
        )
        query = select(inbox).where(inbox.c.state == StimulusState.new, ~waits_behind).order_by(inbox.c.id)
        rows = tx.execute(query.limit(most).with_for_update(skip_locked=True, of=inbox)).all()
        ids = [row.id for row in rows]
        values = {"state": StimulusState.taken, "lease_owner": owner, "lease_until": now + LEASE}
        if ids:
            counted = {**values, "attempts": inbox.c.attempts + 1}
            tx.execute(update(inbox).where(inbox.c.id.in_(ids)).values(**counted))
        return [taken for row in rows if (taken := self._readable(tx, row, owner, now))]

    def finish(
        self, tx: Connection, taken: Taken, state: StimulusState, now: datetime, why: str | None = None
    ) -> None:
        """Ends a turn. Raises LostLease (and so rolls the turn back) if the lease is not ours any more."""
        ours = inbox.c.lease_owner == taken.owner
        done_at = now if state is not StimulusState.new else None
        if not move(tx, inbox, taken.id, MOVES, state, ours, done_at=done_at, why=why, lease_owner=None):
            raise LostLease

    def release_all(self, tx: Connection) -> int:
        """Gives every taken row back. Only for a process that knows itself to be the only one."""
        taken = inbox.c.state == StimulusState.taken
        done = tx.execute(update(inbox).where(taken).values(state=StimulusState.new, lease_owner=None))
        return done.rowcount

    def depth(self, tx: Connection) -> tuple[int, datetime | None]:
        """How many stimuli wait, and since when the oldest does."""
        query = select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.state.in_(_PENDING))
        count, oldest = tx.execute(query).one()
        return count, oldest

    def _give_back(self, tx: Connection, now: datetime) -> None:
        over = and_(inbox.c.state == StimulusState.taken, inbox.c.lease_until < now)
        tx.execute(update(inbox).where(over).values(state=StimulusState.new, lease_owner=None))

    def _has(self, tx: Connection, channel: str, key: str) -> bool:
        same = and_(inbox.c.channel == channel, inbox.c.provider_key == key)
        return tx.execute(select(inbox.c.id).where(same)).first() is not None

    def _insert(
        self,
        tx: Connection,
        channel: str,
        key: str,
        citizen: int,
        kind: StimulusKind,
        body: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        row = self._ids.new()
        return insert_once(
            tx,
            inbox,
            id=row,
            channel=channel,
            provider_key=key,
            citizen_id=citizen,
            kind=kind,
            body=self._vault.seal("inbox", row, "body", json.dumps(body, ensure_ascii=False)),
            received_at=now,
            state=StimulusState.new,
            attempts=0,
        )

    def _readable(self, tx: Connection, row: Any, owner: str, now: datetime) -> Taken | None:
        """One row that does not open (a lost key, a newer release's kind) must not stop everybody's."""
        try:
            return self._open(tx, row, owner)
        except (SealBroken, ValueError) as error:
            why = type(error).__name__
            log.error("stimulus_unreadable", stimulus=row.id, error=why)
            move(tx, inbox, row.id, MOVES, StimulusState.quarantined, done_at=now, why=why, lease_owner=None)
            return None

    def _open(self, tx: Connection, row: Any, owner: str) -> Taken:
        # A ticket that a time-out opens came from where the citizen writes, not from our own clock.
        inner = row.channel == INNER
        channel = self._citizens.latest(tx, row.citizen_id).channel if inner else row.channel
        body = json.loads(self._vault.open("inbox", row.id, "body", row.body))
        return Taken(
            row.id,
            row.citizen_id,
            channel,
            StimulusKind(row.kind),
            body,
            row.received_at,
            row.attempts + 1,
            owner,
        )
