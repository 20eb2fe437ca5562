"""The inbox: every stimulus is one row, kept before anybody is told that it was taken.

    new -> taken(lease) -> done | quarantined

Per citizen the order of arrival holds: a row is claimed only when no earlier one of the same citizen is
still new or taken. A lease that runs out gives the row back; the fence in `finish` keeps a slow worker
from finishing what another one has taken over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from bot.citizens import Citizens
from bot.incoming import Incoming, NotUnderstood
from flows.session import StimulusKind
from store.ids import Ids
from store.insert import insert_once
from store.moves import Moves, move
from store.prepared import Prepared, PreparedInsert, PreparedSet
from store.schema import among, inbox
from store.vault import SealBroken, Vault

log = structlog.get_logger()
_json = json.JSONEncoder(ensure_ascii=False).encode

LEASE = timedelta(seconds=3)  # a turn takes milliseconds; this bounds the silence after a crash
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
_PENDING = (StimulusState.new, StimulusState.taken)


def _claim() -> Prepared:
    """Takes the oldest pending stimulus of each citizen, in one statement."""
    earlier = inbox.alias()
    waits_behind = exists().where(
        earlier.c.citizen_id == inbox.c.citizen_id,
        earlier.c.id < inbox.c.id,
        among(earlier.c.state, *_PENDING),
    )
    free = select(inbox.c.id).where(among(inbox.c.state, StimulusState.new), ~waits_behind)
    some = free.order_by(inbox.c.id).limit(bindparam("most")).with_for_update(skip_locked=True, of=inbox)
    told = (inbox.c.id, inbox.c.citizen_id, inbox.c.channel, inbox.c.kind, inbox.c.body)
    return Prepared(
        update(inbox)
        .where(inbox.c.id.in_(some))
        .values(
            state=StimulusState.taken.value,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            attempts=inbox.c.attempts + 1,
        )
        .returning(*told, inbox.c.received_at, inbox.c.attempts)
    )


_CLAIM = _claim()
_GIVE_BACK = Prepared(
    update(inbox)
    .where(
        among(inbox.c.state, StimulusState.taken),
        or_(inbox.c.lease_until < bindparam("now"), inbox.c.lease_until > bindparam("never")),
    )
    .values(state=StimulusState.new.value, lease_owner=None)
)
_KNOWN = PreparedSet(
    select(inbox.c.provider_key).where(inbox.c.channel == bindparam("channel")), inbox.c.provider_key
)
_PUT = PreparedInsert(
    inbox,
    *("id", "channel", "provider_key", "citizen_id", "kind", "body", "received_at", "state", "attempts"),
    once=("channel", "provider_key"),
)
_DONE = PreparedSet(
    update(inbox)
    .where(among(inbox.c.state, StimulusState.taken), inbox.c.lease_owner == bindparam("owner"))
    .values(state=StimulusState.done.value, done_at=bindparam("now"), why=None, lease_owner=None)
    .returning(inbox.c.id),
    inbox.c.id,
)
_SET_BACK = timedelta(
    minutes=2
)  # a lease that lies so much too far ahead is from before the clock was set back
_OLD_LEASES = timedelta(seconds=1)  # how often leases that ran out are looked for


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
        self._looked: datetime | None = None  # when old leases were looked for last

    def put(self, tx: Connection, incoming: Incoming, now: datetime) -> bool:
        """Keeps what a citizen did. False for a duplicate, which changes nothing."""
        return self.put_all(tx, [incoming], now) == [True]

    def put_all(self, tx: Connection, several: Sequence[Incoming], now: datetime) -> list[bool]:
        """Keeps what citizens did, in the order given; False for each duplicate."""
        by_channel: dict[str, list[Incoming]] = {}
        for incoming in several:
            by_channel.setdefault(incoming.channel, []).append(incoming)
        fresh: set[int] = set()
        for channel, some in by_channel.items():
            fresh |= self._put_of(tx, channel, some, now)
        return [id(one) in fresh for one in several]

    def _put_of(self, tx: Connection, channel: str, some: list[Incoming], now: datetime) -> set[int]:
        """Which of these (by identity) were no duplicates."""
        keys = [one.provider_key for one in some]
        had = {row.provider_key for row in _KNOWN.all(tx, keys, channel=channel)}
        first: dict[str, Incoming] = {}
        for one in some:
            first.setdefault(one.provider_key, one)
        news = [one for key, one in first.items() if key not in had]
        known = self._citizens.known(tx, channel, list({one.address for one in news}))
        self._citizens.wrote(tx, {row.id for row in known.values()}, now)
        met = {address: int(row.citizen_id) for address, row in known.items()}
        for one in news:
            if one.address not in met:
                met[one.address] = self._citizens.of(tx, one, now)
        rows = [
            self._row(channel, one.provider_key, met[one.address], one.kind, one.body(), now) for one in news
        ]
        if len(rows) == 1:
            return {id(news[0])} if _PUT.run(tx, **rows[0]) else set()
        _PUT.many(tx, rows)
        return {id(one) for one in news}

    def put_inner(
        self, tx: Connection, citizen: int, kind: StimulusKind, key: str, now: datetime, **body: Any
    ) -> bool:
        """Keeps what our own people or clocks did to a conversation (`key` makes it happen once).

        body: by = roster key, ref = ticket reference, text, token."""
        return _PUT.run(tx, **self._row(INNER, key, citizen, kind, body, now)) == 1

    def put_strange(self, tx: Connection, strange: NotUnderstood, now: datetime) -> bool:
        """Keeps a body that nobody understands, out of every citizen's way."""
        row = self._ids.new()
        return insert_once(
            tx,
            inbox,
            *("channel", "provider_key"),
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
        if self._looked is None or not timedelta(0) <= now - self._looked < _OLD_LEASES:
            self._looked = now
            _GIVE_BACK.run(tx, now=now, never=now + LEASE + _SET_BACK)
        rows = _CLAIM.all(tx, owner=owner, until=now + LEASE, most=most)
        rows.sort(key=lambda row: row.id)
        return [taken for row in rows if (taken := self._readable(tx, row, owner, now))]

    def done(self, tx: Connection, owner: str, some: Iterable[Taken], now: datetime) -> None:
        """Ends these turns. Raises LostLease (and so rolls them all back) if one of them is not ours any
        more."""
        ids = [taken.id for taken in some]
        if len(_DONE.all(tx, ids, owner=owner, now=now)) != len(ids):
            raise LostLease

    def finish(
        self, tx: Connection, taken: Taken, state: StimulusState, now: datetime, why: str | None = None
    ) -> None:
        """Ends a turn. Raises LostLease (and so rolls the turn back) if the lease is not ours any more."""
        ours = inbox.c.lease_owner == taken.owner
        done_at = now if state is not StimulusState.new else None
        if not move(tx, inbox, taken.id, MOVES, state, ours, done_at=done_at, why=why, lease_owner=None):
            raise LostLease

    def leap(self) -> None:
        """Draws its ids from elsewhere: another process has drawn the same ones."""
        self._ids.leap()

    def release_all(self, tx: Connection) -> int:
        """Gives every taken row back. Only for a process that knows itself to be the only one."""
        taken = among(inbox.c.state, StimulusState.taken)
        done = tx.execute(update(inbox).where(taken).values(state=StimulusState.new, lease_owner=None))
        return done.rowcount

    def depth(self, tx: Connection) -> tuple[int, datetime | None]:
        """How many stimuli wait, and since when the oldest does."""
        query = select(func.count(), func.min(inbox.c.received_at)).where(among(inbox.c.state, *_PENDING))
        count, oldest = tx.execute(query).one()
        return count, oldest

    def _row(
        self,
        channel: str,
        key: str,
        citizen: int,
        kind: StimulusKind,
        body: Mapping[str, Any],
        now: datetime,
    ) -> dict[str, Any]:
        row = self._ids.new()
        return {
            "id": row,
            "channel": channel,
            "provider_key": key,
            "citizen_id": citizen,
            "kind": kind.value,
            "body": self._vault.seal("inbox", row, "body", _json(body)),
            "received_at": now,
            "state": StimulusState.new.value,
            "attempts": 0,
        }

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
            row.attempts,
            owner,
        )
