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
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from bot import outbox_sql as sql
from bot.channels.base import Limits, Outgoing
from bot.citizens import Citizens
from bot.message import LEASE, MOST_TRIES, MOVES, PACE, SET_BACK, Claimed, Hands, Lane, Message, MessageState
from bot.split import fit_label, split_text
from flows.events import Button
from store.ids import Ids, from_base32, to_base32
from store.moves import move
from store.schema import among, outbox
from store.vault import SealBroken, Vault

_json = json.JSONEncoder(ensure_ascii=False).encode
_RESERVED = 64  # messages of a channel that may be in hand beyond its room, if they are urgent
_OLD_LEASES = timedelta(seconds=1)  # how often leases that ran out are looked for


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
        sql.PUT.many(tx, [row for one in said for row in one.rows])
        return [row["id"] for one in said for row in one.rows]

    def put_all(
        self, tx: Connection, messages: Sequence[tuple[int, Message]], now: datetime, hands: Hands | None
    ) -> list[list[Claimed]]:
        """Queues what was said to several citizens. What `hands` may send at once is theirs from the start
        (to be sent after the commit): one list an address, in order."""
        said = self._cut(tx, messages, now)
        taken = self._give(tx, said, now, hands) if hands is not None else []
        sql.PUT.many(tx, [row for one in said for row in one.rows])
        return taken

    def claim(self, tx: Connection, owner: str, now: datetime, room: Mapping[str, int]) -> list[Claimed]:
        """Takes up to `room` rows of each channel, urgent ones first, the oldest of each address only. A
        slow channel fills its own room and nobody else's."""
        lease = {"owner": owner, "until": now + LEASE, "now": now, "never": now + sql.LATEST}
        rows = [row for on, most in room.items() for row in sql.CLAIM.all(tx, **lease, on=on, most=most)]
        rows.sort(key=lambda row: (row.lane, row.id))
        where = self._citizens.rows(tx, list({row.address_id for row in rows}))
        return [one for row in rows if (one := self._open(tx, row, where[row.address_id], owner))]

    def recover(self, tx: Connection, now: datetime) -> list[int | None]:
        """Looks (once a second) for messages whose sender died: said once more, or given up as perhaps
        delivered twice. Returns the tickets of the latter."""
        if self._looked is not None and timedelta(0) <= now - self._looked < _OLD_LEASES:
            return []
        self._looked = now
        sql.LOST.run(tx, now=now, never=now + LEASE + SET_BACK)
        return [row.ticket_id for row in sql.TWICE.all(tx, now=now)]

    def begin(self, tx: Connection, claimed: Claimed, now: datetime) -> bool:
        """Notes that a message in doubt is about to be said for the second and last time. False if it is not
        ours any more."""
        still = and_(outbox.c.id == claimed.id, among(outbox.c.state, MessageState.sending), _ours(claimed))
        begun = update(outbox).where(still).values(doubts=2, lease_until=now + LEASE)
        return tx.execute(begun).rowcount == 1

    def renew(self, tx: Connection, several: Sequence[Claimed], now: datetime) -> set[int]:
        """The lease again for messages of one claim that are still to be sent. Returns the ids of those that
        are still ours; whoever has the others says them."""
        lease = {"owner": several[0].owner, "now": now, "until": now + LEASE}
        return {row.id for row in sql.RENEW.all(tx, [one.id for one in several], **lease)}

    def all_sent(self, tx: Connection, given: Sequence[tuple[Claimed, str | None]], now: datetime) -> None:
        """The provider took these, and gave each its id."""
        rows = [{"row": one.id, "owner": one.owner, "given": id_, "now": now} for one, id_ in given]
        sql.SENT.many(tx, rows)

    def busy(self, tx: Connection, addresses: Sequence[int]) -> set[int]:
        """Those of the addresses to which something waits."""
        return {row.address_id for row in sql.BUSY.all(tx, addresses)}

    def next_due(self, tx: Connection) -> datetime | None:
        """When the next message becomes due."""
        ready = sql.READY
        due: datetime | None = tx.execute(select(func.min(outbox.c.due_at)).where(ready)).scalar()
        return due

    def sent(self, tx: Connection, claimed: Claimed, provider_id: str | None, now: datetime) -> bool:
        """The provider took it."""
        return self._settle(tx, claimed, MessageState.sent, sent_at=now, provider_id=provider_id)

    def retry(self, tx: Connection, claimed: Claimed, why: str, after: float | None, now: datetime) -> bool:
        """It was certainly not sent: due again later, or failed when it was tried too often."""
        if claimed.attempts >= MOST_TRIES:
            return self.fail(tx, claimed, f"gave up: {why}")
        pause = after if after is not None else PACE[min(claimed.attempts - 1, len(PACE) - 1)]
        pause = min(pause, PACE[-1])  # a provider may ask for days: nothing waits so long without a look
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
        idle = sql.READY
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
        row = sql.BUTTON.first(tx, row=row_id, citizen=citizen)
        buttons = self.open(row.id, row.body)["buttons"] if row is not None else []
        return Button(*buttons[int(index)]) if int(index) < len(buttons) else None

    def open(self, row_id: int, body: bytes) -> dict[str, Any]:
        """The body of a row: text, buttons as [value, label], location, phone."""
        opened: dict[str, Any] = json.loads(self._vault.open("outbox", row_id, "body", body))
        return opened

    def release_all(self, tx: Connection) -> int:
        """After a crash of the only process: what was being sent is of unknown outcome."""
        sending = among(outbox.c.state, MessageState.sending)
        return tx.execute(update(outbox).where(sending).values(**sql.IN_DOUBT)).rowcount

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
            # Danger and human words find room where ordinary ones have filled it all.
            more = _RESERVED if any(row["lane"] == Lane.urgent for row in one.rows) else 0
            if not free or room.get(one.address.channel, -_RESERVED) + more < len(one.rows):
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
        return move(tx, outbox, claimed.id, MOVES, state, _ours(claimed), lease_owner=None, **values)


def _ours(claimed: Claimed) -> ColumnElement[bool]:
    """The fence: this very claim. What became of an earlier one must not be written over a later one's."""
    return and_(outbox.c.lease_owner == claimed.owner, outbox.c.attempts == claimed.attempts)


def _outgoing(row: int, lane: int, body: Mapping[str, Any]) -> Outgoing:
    """A row's body as a channel gets it: buttons are the place of their row."""
    place = to_base32(row)
    buttons = tuple(Button(f"~{place}.{at}", label) for at, (_, label) in enumerate(body["buttons"]))
    return Outgoing(body["text"], buttons, body["location"], body["phone"], urgent=lane == Lane.urgent)


def waiting(tx: Connection) -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest does."""
    pending = sql.READY
    count, oldest = tx.execute(select(func.count(), func.min(outbox.c.created_at)).where(pending)).one()
    return count, oldest
