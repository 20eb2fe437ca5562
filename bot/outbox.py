"""The outbox: every message to a citizen is a row before it is a request.

    due -> sending(lease) -> sent | due (retry) | unknown -> due once | failed | blocked

Messages to one address go out in the order they were said. Lane 0 (danger, and human words) is claimed
before lane 1 (ordinary), and both before lane 2 (broadcast).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update

from bot.channels.base import Limits, Outgoing
from bot.citizens import Citizens
from bot.split import fit_label, split_text
from flows.events import Button
from store.ids import Ids, from_base32, to_base32
from store.moves import Moves, move
from store.schema import addresses, outbox
from store.vault import SealBroken, Vault

LEASE = timedelta(seconds=30)  # longer than the longest request, so that only a crash lets it run out
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
_DOUBTED = {"state": MessageState.unknown, "lease_owner": None, "doubts": outbox.c.doubts + 1}
_WAITING = (MessageState.due.value, MessageState.sending.value, MessageState.unknown.value)


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


class Outbox:
    """Puts, claims and settles messages."""

    def __init__(self, vault: Vault, ids: Ids, citizens: Citizens, limits: Mapping[str, Limits]) -> None:
        self._vault = vault
        self._ids = ids
        self._citizens = citizens
        self._limits = limits

    def put(self, tx: Connection, citizen: int, message: Message, now: datetime) -> list[int]:
        """Queues a message to where the citizen wrote last, cut into as many parts as the channel needs.
        Buttons stay on the last part. Returns the row ids."""
        address = self._citizens.latest(tx, citizen)
        limits = self._limits[address.channel]
        parts = split_text(message.text, limits.text)
        rows = []
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            rows.append(self._insert(tx, address, message, part, limits, last, now))
        return rows

    def claim(self, tx: Connection, owner: str, now: datetime, room: Mapping[str, int]) -> list[Claimed]:
        """Takes up to `room` rows of each channel, urgent ones first, the oldest of each address only. A
        slow channel fills its own room and nobody else's."""
        self._give_back(tx, now)
        return [
            claimed
            for channel, most in room.items()
            for claimed in self._claim(tx, owner, now, channel, most)
        ]

    def _claim(self, tx: Connection, owner: str, now: datetime, channel: str, most: int) -> list[Claimed]:
        ready = outbox.c.state.in_((MessageState.due, MessageState.unknown))
        query = (
            select(outbox)
            .where(ready, outbox.c.due_at <= now, outbox.c.channel == channel, ~_waits_behind(now))
            .order_by(outbox.c.lane, outbox.c.id)
            .limit(most)
            .with_for_update(skip_locked=True, of=outbox)
        )
        return [claimed for row in tx.execute(query).all() if (claimed := self._take(tx, row, owner, now))]

    def next_due(self, tx: Connection) -> datetime | None:
        """When the next message becomes due."""
        ready = outbox.c.state.in_((MessageState.due, MessageState.unknown))
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
        return self._settle(tx, claimed, state, due_at=due, why=why)

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
        idle = outbox.c.state.in_((MessageState.due, MessageState.unknown))
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
        mine = and_(outbox.c.id == row_id, outbox.c.citizen_id == citizen)
        row = tx.execute(select(outbox.c.id, outbox.c.body).where(mine)).first()
        buttons = self.open(row.id, row.body)["buttons"] if row is not None else []
        return Button(*buttons[int(index)]) if int(index) < len(buttons) else None

    def open(self, row_id: int, body: bytes) -> dict[str, Any]:
        """The body of a row: text, buttons as [value, label], location, phone."""
        opened: dict[str, Any] = json.loads(self._vault.open("outbox", row_id, "body", body))
        return opened

    def release_all(self, tx: Connection) -> int:
        """After a crash of the only process: what was being sent is of unknown outcome."""
        sending = outbox.c.state == MessageState.sending
        return tx.execute(update(outbox).where(sending).values(**_DOUBTED)).rowcount

    def _insert(
        self,
        tx: Connection,
        address: Row[Any],
        message: Message,
        part: str,
        limits: Limits,
        last: bool,
        now: datetime,
    ) -> int:
        row = self._ids.new()
        buttons = [[b.value, fit_label(b.label, limits.label)] for b in message.buttons[: limits.buttons]]
        body = {
            "text": part,
            "buttons": buttons if last else [],
            "location": message.location and last,
            "phone": message.phone and last,
        }
        reachable = address.state == "open"
        tx.execute(
            insert(outbox).values(
                id=row,
                citizen_id=address.citizen_id,
                address_id=address.id,
                channel=address.channel,
                lane=int(message.lane),
                key=message.key,
                body=self._vault.seal("outbox", row, "body", json.dumps(body, ensure_ascii=False)),
                state=MessageState.due if reachable else MessageState.blocked,
                due_at=now,
                attempts=0,
                created_at=now,
                ticket_id=message.ticket,
            )
        )
        return row

    def _take(self, tx: Connection, row: Row[Any], owner: str, now: datetime) -> Claimed | None:
        if row.doubts > 1:  # said twice already, perhaps: a third time would frighten more than help
            move(tx, outbox, row.id, MOVES, MessageState.sent, sent_at=now, why="unknown twice")
            return None
        values = {"lease_owner": owner, "lease_until": now + LEASE, "attempts": row.attempts + 1}
        if not move(tx, outbox, row.id, MOVES, MessageState.sending, **values):
            return None
        try:
            body = self.open(row.id, row.body)
            address = self._citizens.open(
                tx.execute(select(addresses).where(addresses.c.id == row.address_id)).one()
            )
        except SealBroken:
            move(tx, outbox, row.id, MOVES, MessageState.failed, why="seal broken")
            return None
        buttons = tuple(
            Button(f"~{to_base32(row.id)}.{index}", label) for index, (_, label) in enumerate(body["buttons"])
        )
        message = Outgoing(
            body["text"], buttons, body["location"], body["phone"], urgent=row.lane == Lane.urgent
        )
        return Claimed(
            row.id,
            row.citizen_id,
            row.address_id,
            row.channel,
            address.address,
            message,
            row.attempts + 1,
            owner,
            row.ticket_id,
            row.created_at,
            row.doubts,
        )

    def _settle(self, tx: Connection, claimed: Claimed, state: MessageState, **values: Any) -> bool:
        ours = outbox.c.lease_owner == claimed.owner
        return move(tx, outbox, claimed.id, MOVES, state, ours, lease_owner=None, **values)

    def _give_back(self, tx: Connection, now: datetime) -> None:
        """A lease ran out: its process died between writing the request and hearing the answer."""
        over = and_(outbox.c.state == MessageState.sending, outbox.c.lease_until < now)
        tx.execute(update(outbox).where(over).values(**_DOUBTED))


def _waits_behind(now: datetime) -> ColumnElement[bool]:
    """Whether an earlier message to the same address has to go first. An urgent one overtakes broadcasts,
    and ordinary ones that wait for their next try."""
    earlier = outbox.alias()
    said_now = and_(earlier.c.lane == Lane.ordinary, earlier.c.due_at <= now)
    first = or_(earlier.c.state == MessageState.sending, earlier.c.lane <= outbox.c.lane, said_now)
    same = and_(earlier.c.address_id == outbox.c.address_id, earlier.c.id < outbox.c.id)
    return exists().where(same, earlier.c.state.in_(_WAITING), first)


def waiting(tx: Connection) -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest does."""
    pending = or_(outbox.c.state == MessageState.due, outbox.c.state == MessageState.unknown)
    count, oldest = tx.execute(select(func.count(), func.min(outbox.c.created_at)).where(pending)).one()
    return count, oldest
