"""The rooms under the turn on one database: what tests of inbox, outbox and erasure stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bot.channels.base import Limits
from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.incoming import Incoming
from bot.message import Claimed, Message
from bot.outbox import Outbox
from flows.session import StimulusKind
from store.clock import ManualClock
from store.database import Database, T, Work
from store.ids import Ids
from store.vault import Vault
from tickets.record import Case, Record

LIMITS = {
    "telegram": Limits(text=4096, label=40, buttons=30, rate=30),
    "web": Limits(text=20_000, label=80, buttons=12, rate=1000),
    "viber": Limits(text=700, label=25, buttons=24, rate=10),
}


def said(address: str, key: str, text: str = "καλημέρα", channel: str = "telegram") -> Incoming:
    """A citizen's message."""
    return Incoming(channel, key, address, StimulusKind.said, text, name="Μαρία", language="el")


@dataclass(frozen=True, slots=True)
class Floor:
    """A database with inbox, outbox, citizens and record on it."""

    db: Database
    clock: ManualClock
    ids: Ids
    vault: Vault
    citizens: Citizens
    inbox: Inbox
    outbox: Outbox
    record: Record

    async def write(self, work: Work[T]) -> T:
        """Database.write, shorter."""
        return await self.db.write(work)

    async def hear(self, address: str, key: str, text: str = "καλημέρα", channel: str = "telegram") -> bool:
        """Puts a message into the inbox; False for a duplicate."""
        return await self.write(
            lambda tx: self.inbox.put(tx, said(address, key, text, channel), self.clock.now())
        )

    async def meet(self, address: str = "1001", channel: str = "telegram") -> int:
        """A citizen who has written once (and whose message has had its turn)."""
        await self.hear(address, f"hello-{channel}-{address}", channel=channel)

        def work(tx: Connection) -> int:
            found = self.citizens.find(tx, channel, address)
            assert found is not None
            return found

        return await self.write(work)

    async def tell(self, citizen: int, message: Message) -> list[int]:
        """Queues a message for a citizen."""
        return await self.write(lambda tx: self.outbox.put(tx, citizen, message, self.clock.now()))

    async def claim(self, owner: str = "one", most: int = 32) -> list[Claimed]:
        """Claims what may be sent now."""
        room = dict.fromkeys(LIMITS, most)

        def work(tx: Connection) -> list[Claimed]:
            self.outbox.recover(tx, self.clock.now())
            return self.outbox.claim(tx, owner, self.clock.now(), room)

        return await self.write(work)

    async def open_ticket(self, citizen: int, ref: str, **case: object) -> int:
        """A ticket of this citizen."""
        given = {"topic": "food_aid", "risk": "none", "risk_kind": None, "answers": {}, **case}
        opened = Case(ref, citizen, channel="telegram", language="el", **given)  # type: ignore[arg-type]
        return await self.write(lambda tx: self.record.open(tx, opened, self.clock.now()))

    def pass_time(self, **by: float) -> None:
        """Moves the clock."""
        self.clock.advance(timedelta(**by))


def make_floor(db: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    """All of it on one database."""
    citizens = Citizens(vault, ids)
    inbox = Inbox(vault, ids, citizens)
    outbox = Outbox(vault, ids, citizens, LIMITS)
    return Floor(db, clock, ids, vault, citizens, inbox, outbox, Record(vault, ids))
