"""The door: what a channel has verified and parsed is kept, and only then is the provider told 200.

One insert with the provider's unique key; what comes while a commit is being made goes into the next one
together. If the store is down the spool takes it; if that fails too, the caller answers 503 and the provider
keeps the message.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import assert_never

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.incoming import Arrival, Incoming, Left, NotUnderstood, Receipt
from bot.outbox import Outbox
from bot.spool import Spool, SpoolFull
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.figures import Figures
from tickets.record import Record

log = structlog.get_logger()
PATIENCE = 3.0  # seconds that a provider's webhook waits for the store before the spool takes over
_TOGETHER = 128  # arrivals in one commit at most
_Kept = asyncio.Future[bool]


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
        figures: Figures | None = None,
    ) -> None:
        self._figures = figures or Figures()
        self._db = db
        self._bell = bell
        self._clock = clock
        self._inbox = inbox
        self._outbox = outbox
        self._citizens = citizens
        self._spool = spool
        self._record = record
        self._waiting: list[tuple[Arrival, _Kept]] = []
        self._keeping: asyncio.Task[None] | None = None

    async def accept(self, arrival: Arrival) -> bool:
        """Keeps an arrival; False for a duplicate. Raises StoreUnavailable when it could not be kept."""
        if self._spool.size():  # earlier arrivals wait there: this one may not overtake them
            return await self._spill(arrival)
        try:
            return await self._kept(arrival)
        except (StoreUnavailable, TimeoutError):
            return await self._spill(arrival)

    def _kept(self, arrival: Arrival) -> _Kept:
        """Resolves when the arrival is durable: False for a duplicate, an exception where it is not."""
        kept: _Kept = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, kept))
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_waiting())
        return kept

    async def _keep_waiting(self) -> None:
        """Commit after commit. When the store lets one wait too long, all who wait go to the spool."""
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                try:
                    async with asyncio.timeout(PATIENCE):
                        fresh = await self._keep([arrival for arrival, _ in some])
                except (StoreUnavailable, TimeoutError) as error:
                    some, self._waiting = [*some, *self._waiting], []
                    _refuse(some, error)
                else:
                    self._bell.ring("inbox", "console")
                    self._tell(some, fresh)
        finally:
            self._keeping = None

    def _tell(self, some: Sequence[tuple[Arrival, _Kept]], fresh: Sequence[bool]) -> None:
        for (arrival, kept), new in zip(some, fresh, strict=True):
            self._figures.count("arrivals", arrival.channel, "kept" if new else "again")
            if not kept.done():  # else its webhook has been given up by the provider
                kept.set_result(new)

    async def _keep(self, arrivals: Sequence[Arrival], *, again: bool = False) -> list[bool]:
        """One commit for all of them; if one of them cannot be kept, each has a commit of its own, and the
        odd one is put where a human finds it: it may not block a citizen's later messages."""
        try:
            return await self._db.write(lambda tx: self._keep_all(tx, arrivals))
        except IntegrityError:
            if not again:  # another process has drawn the same id
                self._inbox.leap()
                return await self._keep(arrivals, again=True)
            return await self._keep_odd(arrivals, "IntegrityError")
        except StoreUnavailable:
            raise
        except Exception as error:
            return await self._keep_odd(arrivals, type(error).__name__)

    async def _keep_odd(self, arrivals: Sequence[Arrival], why: str) -> list[bool]:
        if len(arrivals) > 1:
            return [new for one in arrivals for new in await self._keep([one])]
        (odd,) = arrivals
        log.error("arrival_odd", channel=odd.channel, error=why)
        strange, now = _strange(odd, why), self._clock.now()
        return [await self._db.write(lambda tx: self._inbox.put_strange(tx, strange, now))]

    async def _spill(self, arrival: Arrival) -> bool:
        """The store did not answer (it may have kept the arrival all the same: replay is harmless)."""
        try:
            await self._spool.append(arrival)
        except SpoolFull as error:
            raise StoreUnavailable("neither the store nor the spool takes it") from error
        log.error("spooled", bytes=self._spool.size())
        self._figures.count("arrivals", arrival.channel, "spooled")
        self._bell.ring("spool")
        return True

    async def replay(self) -> bool:
        """Puts what waits in the spool into the store. Called by a loop."""
        if not self._spool.size():
            return False
        arrivals, reached = await asyncio.to_thread(self._spool.read)
        for start in range(0, len(arrivals), _TOGETHER):
            some = arrivals[start : start + _TOGETHER]
            await self._keep(some)
        await asyncio.to_thread(self._spool.forget, reached)
        log.info("replayed", count=len(arrivals))
        self._bell.ring("inbox", "console")
        return False

    def _keep_all(self, tx: Connection, arrivals: Sequence[Arrival]) -> list[bool]:
        """Keeps them in their order: who wrote and then left has left, who left and then wrote is back."""
        now, fresh = self._clock.now(), list[bool]()
        for kind, run in groupby(arrivals, type):
            if kind is Incoming:
                fresh += self._inbox.put_all(tx, [one for one in run if isinstance(one, Incoming)], now)
            else:
                fresh += [self._keep_one(tx, one, now) for one in run]
        return fresh

    def _keep_one(self, tx: Connection, arrival: Arrival, now: datetime) -> bool:
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


def _refuse(some: Sequence[tuple[Arrival, _Kept]], error: Exception) -> None:
    for _, kept in some:
        if not kept.done():
            kept.set_exception(error)


def _strange(odd: Arrival, why: str) -> NotUnderstood:
    """An arrival that no row takes, as something to be looked at."""
    raw = json.dumps(asdict(odd), ensure_ascii=False)
    key = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    return NotUnderstood(odd.channel[:16], f"odd:{key}", raw.encode("utf-8", "replace").decode(), why)
