"""The loop over the inbox: claims what waits, takes the turns, and hands failures to the quarantine.

Turns of different citizens share a commit; one citizen's run one by one. If one turn of a shared commit
fails, each is taken again by itself, so that only the one at fault waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from bot.inbox import Inbox, LostLease
from bot.quarantine import Quarantine
from bot.sender import Sender
from bot.turn import Heard, Turn
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.figures import Figures
from store.ids import Ids

log = structlog.get_logger()
BATCH = 32  # turns in one commit at most: bounds how long the first one waits for the last


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs turns. `sender` says what they say, at once; without one it waits in the outbox."""

    db: Database
    bell: Bell
    clock: Clock
    ids: Ids
    inbox: Inbox
    turn: Turn
    quarantine: Quarantine
    sender: Sender | None = None
    figures: Figures = field(default_factory=Figures)

    async def tick(self) -> bool:
        """Takes the turns that wait: the oldest of each citizen. True if there may be more."""
        owner = self.ids.token(8)
        taken = await self.db.write(lambda tx: self.inbox.claim(tx, owner, self.clock.now(), BATCH))
        if taken:
            self.figures.count("claimed", "inbox", by=len(taken))
            await self._take([(one, self.turn.read(one)) for one in taken])
        return bool(taken)

    async def _take(self, heard: list[Heard]) -> None:
        hands = self.sender.hands if self.sender is not None else None
        try:
            rung, said = await self.db.write(lambda tx: self.turn.take(tx, heard, hands))
        except StoreUnavailable:
            return  # the leases will give them back: nothing was written
        except Exception as error:
            await self._apart(heard, error)
            return
        if self.sender is not None and said:
            self.sender.take(said)
        self._count(heard)
        woken = (f"web:{taken.citizen_id}" for taken, _ in heard)
        self.bell.ring("outbox", "console", *woken, *rung)

    def _count(self, heard: list[Heard]) -> None:
        now = self.clock.now()
        self.figures.count("turns", "done", by=len(heard))
        for taken, _ in heard:
            self.figures.span((now - taken.received_at).total_seconds(), "turn_seconds")

    async def _apart(self, heard: list[Heard], error: Exception) -> None:
        """Something went wrong with one of these."""
        if len(heard) > 1:
            for one in heard:
                await self._take([one])
        elif isinstance(error, LostLease):  # somebody has taken it over
            self.figures.count("turns", "lost")
        else:
            self.figures.count("turns", "failed")
            await self._failed(heard[0], error)

    async def _failed(self, heard: Heard, error: Exception) -> None:
        taken, reading = heard
        log.error("turn_failed", stimulus=taken.id, tries=taken.attempts, error=type(error).__name__)
        now = self.clock.now()
        try:
            rung = await self.db.write(lambda tx: self.quarantine.after(tx, taken, reading, error, now))
        except (LostLease, StoreUnavailable):
            return
        self.bell.ring("outbox", "console", f"web:{taken.citizen_id}", *rung)
