"""The loop over the inbox: claims what waits, takes the turns, and hands failures to the quarantine.

Turns of different citizens run beside each other and share a commit; one citizen's run one by one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bot.inbox import Inbox, LostLease, Taken
from bot.quarantine import Quarantine
from bot.turn import Turn
from nlu.reading import Reading
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.ids import Ids

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs turns."""

    db: Database
    bell: Bell
    clock: Clock
    ids: Ids
    inbox: Inbox
    turn: Turn
    quarantine: Quarantine

    async def tick(self) -> bool:
        """Takes the turns that wait: the oldest of each citizen. True if there may be more."""
        owner = self.ids.token(8)
        taken = await self.db.write(lambda tx: self.inbox.claim(tx, owner, self.clock.now()))
        await asyncio.gather(*(self._take(stimulus) for stimulus in taken))
        return bool(taken)

    async def _take(self, taken: Taken) -> None:
        reading = self.turn.read(taken)
        try:
            rung = await self.db.write(lambda tx: self.turn.take(tx, taken, reading))
        except (LostLease, StoreUnavailable):
            return  # somebody else took it over, or the lease will give it back: nothing was written
        except Exception as error:
            log.error("turn_failed", stimulus=taken.id, tries=taken.attempts, error=type(error).__name__)
            rung = await self._failed(taken, reading, error)
        self.bell.ring("outbox", "console", f"web:{taken.citizen_id}", *rung)

    async def _failed(self, taken: Taken, reading: Reading | None, error: Exception) -> set[str]:
        now = self.clock.now()
        try:
            return await self.db.write(lambda tx: self.quarantine.after(tx, taken, reading, error, now))
        except (LostLease, StoreUnavailable):
            return set()
