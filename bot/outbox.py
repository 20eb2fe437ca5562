"""The outbox: every message to a citizen is a row before it is a request.

    due -> sending(lease) -> sent | due (retry) | unknown -> due once | failed | blocked

Messages to one address go out in the order they were said. Lane 0 (danger, and human words) is claimed
before lane 1 (ordinary), and both before lane 2 (broadcast).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from bot.channels.base import Limits, Outgoing
from bot.citizens import Citizens
from bot.split import fit_label, split_text
from flows.events import Button
from store.ids import Ids, from_base32, to_base32
from store.moves import Moves, move
from store.prepared import Prepared, PreparedInsert, PreparedSet
from store.schema import among, outbox
from store.vault import SealBroken, Vault

_json = json.JSONEncoder(ensure_ascii=False).encode
LEASE = timedelta(seconds=12)  # longer than the longest request, so that only a crash lets it run out
MOST_TRIES = 40  # with the pace below: about half a day of an unreachable provider
_PACE = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200)  # seconds before each further try


class Lane(IntEnum):
    """Which message goes first."""

    urgent = 0
    ordinary = 1
    broadcast = 2


class MessageState(StrEnum):
    """What became of a message. unknown = the request was written and no answer came."""

    due = "due"
    sending = "sending"
    unknown = "unknown"
    sent = "sent"
    failed = "failed"
    blocked = "blocked"


MOVES: Moves[MessageState] = {
    MessageState.due: {MessageState.sending, MessageState.blocked},
    MessageState.sending: {
        MessageState.due,
        MessageState.unknown,
        MessageState.sent,
        MessageState.failed,
        MessageState.blocked,
    },
    MessageState.unknown: {
        MessageState.sending,
        MessageState.sent,
        MessageState.failed,
        MessageState.blocked,
    },
    MessageState.sent: {MessageState.failed},
    MessageState.failed: set(),
    MessageState.blocked: set(),
}
_WAITING = (MessageState.due, MessageState.sending, MessageState.unknown)
_READY = and_(  # said twice, because SQLite sees no further than the very condition of the index
    among(outbox.c.state, *_WAITING), among(outbox.c.state, MessageState.due, MessageState.unknown)
)
# A request that was begun and never answered for is in doubt once. The second time it is in doubt from before
# it is begun (`begin`), so a crash between the claim and the request costs nobody the message.
_IN_DOUBT = {
    "state": MessageState.unknown.value,
    "lease_owner": None,
    "doubts": case((outbox.c.doubts == 0, 1), else_=outbox.c.doubts),
}
_OLD_LEASES = timedelta(seconds=1)  # how often leases that ran out are looked for


def _waits_behind() -> ColumnElement[bool]:
    """Whether an earlier message to the same address has to go first. An urgent one overtakes broadcasts,
    and ordinary ones that wait for their next try."""
    earlier = outbox.alias()
    said_now = and_(earlier.c.lane == Lane.ordinary, earlier.c.due_at <= bindparam("now"))
    sending = among(earlier.c.state, MessageState.sending)
    first = or_(sending, earlier.c.lane <= outbox.c.lane, said_now)
    same = and_(earlier.c.address_id == outbox.c.address_id, earlier.c.id < outbox.c.id)
    return exists().where(same, among(earlier.c.state, *_WAITING), first)


def _claim() -> Prepared:
    ready = (_READY, outbox.c.due_at <= bindparam("now"), outbox.c.doubts < 2)
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
        .returning(*(outbox.c[name] for name in _CLAIMED))
    )


_CLAIMED = (
    *("id", "citizen_id", "address_id", "channel", "lane", "body", "attempts", "doubts"),
    *("created_at", "ticket_id"),
)
_CLAIM = _claim()
_LOST = Prepared(
    update(outbox)
    .where(among(outbox.c.state, MessageState.sending), outbox.c.lease_until < bindparam("now"))
    .values(**_IN_DOUBT)
)
_TWICE = Prepared(
    update(outbox)
    .where(among(outbox.c.state, MessageState.unknown), outbox.c.doubts > 1)
    .values(state=MessageState.sent.value, sent_at=bindparam("now"), why="unknown twice")
    .returning(outbox.c.id, outbox.c.ticket_id)
)
_PUT = PreparedInsert(
    outbox,
    *("id", "citizen_id", "address_id", "channel", "lane", "key", "body", "state", "due_at", "attempts"),
    *("doubts", "lease_owner", "lease_until", "created_at", "ticket_id"),
)
_SENT = Prepared(
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
_BUSY = PreparedSet(select(outbox.c.address_id).where(among(outbox.c.state, *_WAITING)), outbox.c.address_id)
_BUTTON = Prepared(
    select(outbox.c.id, outbox.c.body).where(
        outbox.c.id == bindparam("row"), outbox.c.citizen_id == bindparam("citizen")
    )
)


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell a citizen, before it is cut to a channel's measure. `key` is "flow.message"."""

    key: str
    text: str
    buttons: tuple[Button, ...] = ()
    location: bool = False
    phone: bool = False
    lane: Lane = Lane.ordinary
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process sends now."""

    id: int
    citizen_id: int
    address_id: int
    channel: str
    address: str
    message: Outgoing
    attempts: int
    owner: str
    ticket: int | None
    said_at: datetime  # the moment of its turn: what was said together goes out together
    doubts: int  # how often it may have arrived already


@dataclass(frozen=True, slots=True)
class Hands:
    """A sender that takes messages the moment they are said: whose lease, and how many of each channel."""

    owner: str
    room: Mapping[str, int]


@dataclass(slots=True)
class _Said:
    """The rows of one address in one transaction."""

    address: Any
    rows: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)


class Outbox:
    """Puts, claims and settles messages."""

    def __init__(self, vault: Vault, ids: Ids, citizens: Citizens, limits: Mapping[str, Limits]) -> None:
        self._vault = vault
        self._ids = ids
        self._citizens = citizens
        self._limits = limits
        self._looked: datetime | None = None  # when old leases were looked for last

    def put(self, tx: Connection, citizen: int, message: Message, now: datetime) -> list[int]:
        """Queues a message to where the citizen wrote last, cut into as many parts as the channel needs.
        Buttons stay on the last part. Returns the row ids."""
        said = self._cut(tx, [(citizen, message)], now)
        _PUT.many(tx, [row for one in said for row in one.rows])
        return [row["id"] for one in said for row in one.rows]

    def put_all(
        self, tx: Connection, messages: Sequence[tuple[int, Message]], now: datetime, hands: Hands | None
    ) -> list[list[Claimed]]:
        """Queues what was said to several citizens. What `hands` may send at once is theirs from the start
        (to be sent after the commit): one list an address, in order."""
        said = self._cut(tx, messages, now)
        taken = self._give(tx, said, now, hands) if hands is not None else []
        _PUT.many(tx, [row for one in said for row in one.rows])
        return taken

    def claim(self, tx: Connection, owner: str, now: datetime, room: Mapping[str, int]) -> list[Claimed]:
        """Takes up to `room` rows of each channel, urgent ones first, the oldest of each address only. A
        slow channel fills its own room and nobody else's."""
        lease = {"owner": owner, "until": now + LEASE, "now": now}
        rows = [row for on, most in room.items() for row in _CLAIM.all(tx, **lease, on=on, most=most)]
        rows.sort(key=lambda row: (row.lane, row.id))
        where = self._citizens.rows(tx, list({row.address_id for row in rows}))
        return [one for row in rows if (one := self._open(tx, row, where[row.address_id], owner))]

    def recover(self, tx: Connection, now: datetime) -> list[int | None]:
        """Looks (once a second) for messages whose sender died: said once more, or given up as perhaps
        delivered twice. Returns the tickets of the latter."""
        if self._looked is not None and timedelta(0) <= now - self._looked < _OLD_LEASES:
            return []
        self._looked = now
        _LOST.run(tx, now=now)
        return [row.ticket_id for row in _TWICE.all(tx, now=now)]

    def begin(self, tx: Connection, claimed: Claimed, now: datetime) -> bool:
        """Notes that a message in doubt is about to be said for the second and last time. False if it is not
        ours any more."""
        ours = outbox.c.lease_owner == claimed.owner
        still = and_(outbox.c.id == claimed.id, among(outbox.c.state, MessageState.sending), ours)
        begun = update(outbox).where(still).values(doubts=2, lease_until=now + LEASE)
        return tx.execute(begun).rowcount == 1

    def all_sent(self, tx: Connection, given: Sequence[tuple[Claimed, str | None]], now: datetime) -> None:
        """The provider took these, and gave each its id."""
        rows = [{"row": one.id, "owner": one.owner, "given": id_, "now": now} for one, id_ in given]
        _SENT.many(tx, rows)

    def busy(self, tx: Connection, addresses: Sequence[int]) -> set[int]:
        """Those of the addresses to which something waits."""
        return {row.address_id for row in _BUSY.all(tx, addresses)}

    def next_due(self, tx: Connection) -> datetime | None:
        """When the next message becomes due."""
        ready = _READY
        due: datetime | None = tx.execute(select(func.min(outbox.c.due_at)).where(ready)).scalar()
        return due

    def sent(self, tx: Connection, claimed: Claimed, provider_id: str | None, now: datetime) -> bool:
        """The provider took it."""
        return self._settle(tx, claimed, MessageState.sent, sent_at=now, provider_id=provider_id)

    def retry(self, tx: Connection, claimed: Claimed, why: str, after: float | None, now: datetime) -> bool:
        """It was certainly not sent: due again later, or failed when it was tried too often."""
        if claimed.attempts >= MOST_TRIES:
            return self.fail(tx, claimed, f"gave up: {why}")
        pause = after if after is not None else _PACE[min(claimed.attempts - 1, len(_PACE) - 1)]
        state = MessageState.unknown if claimed.doubts else MessageState.due
        due = now + timedelta(seconds=pause)
        return self._settle(tx, claimed, state, due_at=due, doubts=claimed.doubts, why=why)

    def give_back(self, tx: Connection, claimed: Claimed, now: datetime) -> bool:
        """It was not even begun: due again at once, and not counted as a try."""
        state = MessageState.unknown if claimed.doubts else MessageState.due
        kept = {"attempts": claimed.attempts - 1, "doubts": claimed.doubts}
        return self._settle(tx, claimed, state, due_at=now, **kept)

    def doubt(self, tx: Connection, claimed: Claimed, why: str, now: datetime) -> bool:
        """It may have arrived. It is said once more, never a third time."""
        doubts = claimed.doubts + 1
        if doubts > 1:
            return self._settle(tx, claimed, MessageState.sent, sent_at=now, doubts=doubts, why=why)
        due = now + timedelta(seconds=2)
        return self._settle(tx, claimed, MessageState.unknown, due_at=due, doubts=doubts, why=why)

    def fail(self, tx: Connection, claimed: Claimed, why: str) -> bool:
        """The provider will never take it."""
        return self._settle(tx, claimed, MessageState.failed, why=why)

    def block(self, tx: Connection, claimed: Claimed, why: str, now: datetime) -> bool:
        """The citizen does not take messages: neither this one nor those behind it are tried again."""
        self._citizens.block(tx, claimed.address_id, now)
        idle = _READY
        behind = and_(outbox.c.address_id == claimed.address_id, idle)
        tx.execute(update(outbox).where(behind).values(state=MessageState.blocked, why=why))
        return self._settle(tx, claimed, MessageState.blocked, why=why)

    def receipt(
        self, tx: Connection, channel: str, provider_id: str, outcome: str, now: datetime
    ) -> Row[Any] | None:
        """Notes a delivery receipt (delivered, seen, failed) and returns id and ticket_id of the message,
        None for one that is not ours. What the phone refused after all becomes failed."""
        same = and_(outbox.c.channel == channel, outbox.c.provider_id == provider_id)
        row: Any = tx.execute(select(outbox.c.id, outbox.c.ticket_id).where(same)).first()
        if row is None:
            return None
        if outcome == "failed":
            move(tx, outbox, row.id, MOVES, MessageState.failed, why="refused by the phone")
        else:
            column = "seen_at" if outcome == "seen" else "delivered_at"
            tx.execute(update(outbox).where(outbox.c.id == row.id).values({column: now}))
        return cast("Row[Any]", row)

    def button(self, tx: Connection, citizen: int, token: str) -> Button | None:
        """The button behind an opaque token, if it was sent to this very citizen."""
        row_text, _, index = token.removeprefix("~").partition(".")
        row_id = from_base32(row_text)
        if row_id is None or not (index.isascii() and index.isdigit() and len(index) < 4):
            return None
        row = _BUTTON.first(tx, row=row_id, citizen=citizen)
        buttons = self.open(row.id, row.body)["buttons"] if row is not None else []
        return Button(*buttons[int(index)]) if int(index) < len(buttons) else None

    def open(self, row_id: int, body: bytes) -> dict[str, Any]:
        """The body of a row: text, buttons as [value, label], location, phone."""
        opened: dict[str, Any] = json.loads(self._vault.open("outbox", row_id, "body", body))
        return opened

    def release_all(self, tx: Connection) -> int:
        """After a crash of the only process: what was being sent is of unknown outcome."""
        sending = among(outbox.c.state, MessageState.sending)
        return tx.execute(update(outbox).where(sending).values(**_IN_DOUBT)).rowcount

    def _cut(self, tx: Connection, messages: Sequence[tuple[int, Message]], now: datetime) -> list[_Said]:
        """The rows of these messages, by address."""
        where = self._citizens.latest_of(tx, list({citizen for citizen, _ in messages}))
        said: dict[int, _Said] = {}
        for citizen, message in messages:
            address = where[citizen]
            self._add(said.setdefault(address.id, _Said(address)), message, now)
        return list(said.values())

    def _add(self, said: _Said, message: Message, now: datetime) -> None:
        """One message, in as many rows as its channel needs."""
        address, limits = said.address, self._limits[said.address.channel]
        buttons = [[b.value, fit_label(b.label, limits.label)] for b in message.buttons[: limits.buttons]]
        parts = split_text(message.text, limits.text)
        for number, part in enumerate(parts, 1):
            last, row = number == len(parts), self._ids.new()
            body = {
                "text": part,
                "buttons": buttons if last else [],
                "location": message.location and last,
                "phone": message.phone and last,
            }
            said.bodies.append(body)
            said.rows.append(
                {
                    "id": row,
                    "citizen_id": address.citizen_id,
                    "address_id": address.id,
                    "channel": address.channel,
                    "lane": int(message.lane),
                    "key": message.key,
                    "body": self._vault.seal("outbox", row, "body", _json(body)),
                    "state": (MessageState.due if address.state == "open" else MessageState.blocked).value,
                    "due_at": now,
                    "attempts": 0,
                    "doubts": 0,
                    "lease_owner": None,
                    "lease_until": None,
                    "created_at": now,
                    "ticket_id": message.ticket,
                }
            )

    def _give(
        self, tx: Connection, said: Sequence[_Said], now: datetime, hands: Hands
    ) -> list[list[Claimed]]:
        """What may be sent at once becomes the hands' own before it is written."""
        room, given = dict(hands.room), []
        busy = self.busy(tx, [one.address.id for one in said])
        for one in said:
            free = one.address.state == "open" and one.address.id not in busy
            if not free or room.get(one.address.channel, 0) < len(one.rows):
                continue
            room[one.address.channel] -= len(one.rows)
            where = self._citizens.open(one.address).address
            given.append(
                [
                    self._taken(row, where, body, now, hands.owner)
                    for row, body in zip(one.rows, one.bodies, strict=True)
                ]
            )
        return given

    def _taken(
        self, row: dict[str, Any], address: str, body: dict[str, Any], now: datetime, owner: str
    ) -> Claimed:
        row |= {"state": MessageState.sending.value, "lease_owner": owner, "lease_until": now + LEASE}
        row["attempts"] = 1
        names = {name: row[name] for name in ("id", "citizen_id", "address_id", "channel", "attempts")}
        message = _outgoing(row["id"], row["lane"], body)
        return Claimed(
            **names,
            address=address,
            message=message,
            owner=owner,
            ticket=row["ticket_id"],
            said_at=now,
            doubts=0,
        )

    def _open(self, tx: Connection, row: Any, where: Any, owner: str) -> Claimed | None:
        try:
            body = self.open(row.id, row.body)
            address = self._citizens.open(where).address
        except SealBroken:
            move(tx, outbox, row.id, MOVES, MessageState.failed, why="seal broken")
            return None
        return Claimed(
            row.id,
            row.citizen_id,
            row.address_id,
            row.channel,
            address,
            _outgoing(row.id, row.lane, body),
            row.attempts,
            owner,
            row.ticket_id,
            row.created_at,
            row.doubts,
        )

    def _settle(self, tx: Connection, claimed: Claimed, state: MessageState, **values: Any) -> bool:
        ours = outbox.c.lease_owner == claimed.owner
        return move(tx, outbox, claimed.id, MOVES, state, ours, lease_owner=None, **values)


def _outgoing(row: int, lane: int, body: Mapping[str, Any]) -> Outgoing:
    """A row's body as a channel gets it: buttons are the place of their row."""
    place = to_base32(row)
    buttons = tuple(Button(f"~{place}.{at}", label) for at, (_, label) in enumerate(body["buttons"]))
    return Outgoing(body["text"], buttons, body["location"], body["phone"], urgent=lane == Lane.urgent)


def waiting(tx: Connection) -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest does."""
    pending = _READY
    count, oldest = tx.execute(select(func.count(), func.min(outbox.c.created_at)).where(pending)).one()
    return count, oldest
