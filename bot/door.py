"""The door: what a channel has verified and parsed is kept, and only then is the provider told 200.

One insert with the provider's unique key. If the store is down the spool takes it; if that fails too,
the caller answers 503 and the provider keeps the message.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import assert_never

import structlog
from sqlalchemy import Connection

from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.incoming import Arrival, Incoming, Left, NotUnderstood, Receipt
from bot.outbox import Outbox
from bot.spool import Spool, SpoolFull
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from tickets.record import Record

log = structlog.get_logger()
PATIENCE = 3.0  # seconds that a provider's webhook waits for the store before the spool takes over


class Door:
    """Where everything that comes from outside comes in."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        inbox: Inbox,
        outbox: Outbox,
        citizens: Citizens,
        spool: Spool,
        record: Record,
    ) -> None:
        self._db = db
        self._bell = bell
        self._clock = clock
        self._inbox = inbox
        self._outbox = outbox
        self._citizens = citizens
        self._spool = spool
        self._record = record

    async def accept(self, arrival: Arrival) -> bool:
        """Keeps an arrival; False for a duplicate. Raises StoreUnavailable when it could not be kept."""
        if self._spool.size():  # earlier arrivals wait there: this one may not overtake them
            return await self._spill(arrival)
        try:
            async with asyncio.timeout(PATIENCE):
                fresh = await self._db.write(lambda tx: self._keep(tx, arrival))
        except (StoreUnavailable, TimeoutError):
            return await self._spill(arrival)
        self._bell.ring("inbox", "console")
        return fresh

    async def _spill(self, arrival: Arrival) -> bool:
        """The store did not answer (it may have kept the arrival all the same: replay is harmless)."""
        try:
            await self._spool.append(arrival)
        except SpoolFull as error:
            raise StoreUnavailable("neither the store nor the spool takes it") from error
        log.error("spooled", bytes=self._spool.size())
        self._bell.ring("spool")
        return True

    async def replay(self) -> bool:
        """Puts what waits in the spool into the store. Called by a loop."""
        if not self._spool.size():
            return False
        arrivals, reached = await asyncio.to_thread(self._spool.read)
        for arrival in arrivals:
            await self._db.write(lambda tx, arrival=arrival: self._keep(tx, arrival))  # type: ignore[misc]
        await asyncio.to_thread(self._spool.forget, reached)
        log.info("replayed", count=len(arrivals))
        self._bell.ring("inbox", "console")
        return False

    def _keep(self, tx: Connection, arrival: Arrival) -> bool:
        now = self._clock.now()
        match arrival:
            case Incoming():
                return self._inbox.put(tx, arrival, now)
            case Receipt():
                return self._receipt(tx, arrival, now)
            case Left():
                self._citizens.left(tx, arrival.channel, arrival.address, now)
                return True
            case NotUnderstood():
                return self._inbox.put_strange(tx, arrival, now)
            case _:
                assert_never(arrival)

    def _receipt(self, tx: Connection, receipt: Receipt, now: datetime) -> bool:
        """A message of ours arrived, or the phone refused it: then staff see it at the ticket."""
        row = self._outbox.receipt(tx, receipt.channel, receipt.provider_id, receipt.outcome, now)
        if row is not None and receipt.outcome == "failed" and row.ticket_id is not None:
            words = "not delivered: the citizen's phone refused the message"
            self._record.add(tx, row.ticket_id, "system", "status", words, now)
        return row is not None
