"""Arrivals that do not wait for the server: messages come at random moments, so many a second.

Each is timed from the moment at which it was due, not from when the generator got round to it: a slow
generator or a stalled server cannot hide its delay.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random

from bench.load import Crowd, Result

WARM = 4.0  # seconds that do not count: conversations spread over their steps
POPULATION = 150  # citizens who are in the middle of something


class Stream:
    """The everyday load beside whatever else is measured."""

    def __init__(self, crowd: Crowd, rate: float, seed: int = 7) -> None:
        self._crowd, self._rate, self._chance = crowd, rate, Random(seed)
        self._people = crowd.citizens()
        self._idle: list[tuple[int, int]] = []  # citizen, next step
        self._talking = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.firsts: list[float] = []

    async def flow(self, seconds: float) -> Result:
        """Runs for WARM and then `seconds`; latencies to the last message of each reply."""
        result, crowd = Result(), self._crowd
        begun = time.monotonic()
        counted = begun + WARM
        strays, cpu = crowd.stray, 0.0

        async def one(due: float) -> None:
            late = time.monotonic()
            first, last = await self._next_turn()
            if due >= counted:
                waited = (late - due) * 1e3
                result.turns += 1
                result.latencies.append(last + waited)
                self.firsts.append(first + waited)

        async def note() -> None:
            nonlocal cpu
            await asyncio.sleep(WARM)
            cpu = crowd.server.cpu()

        noted = asyncio.create_task(note())
        await arrivals(self._rate, WARM + seconds, self._chance, one, self._tasks)
        result.cpu, result.seconds = crowd.server.cpu() - cpu, seconds
        await noted
        await finish(self._tasks)
        result.stray = crowd.stray - strays
        return result

    async def _next_turn(self) -> tuple[float, float]:
        citizen, at = self._somebody()
        steps, counts = self._crowd.meeting(citizen)
        times = await self._crowd.turn(citizen, steps[at], counts[at])
        if at + 1 < len(steps):
            self._idle.append((citizen, at + 1))
        else:
            self._talking -= 1
            self._crowd.part(citizen)
        return times

    def _somebody(self) -> tuple[int, int]:
        """Whoever has had a reply and goes on; somebody new while few are there."""
        if self._idle and self._talking >= POPULATION:
            place = self._chance.randrange(len(self._idle))
            self._idle[place], self._idle[-1] = self._idle[-1], self._idle[place]
            return self._idle.pop()
        self._talking += 1
        citizen = next(self._people)
        self._crowd.meet(citizen)
        return citizen, 0


async def arrivals(
    rate: float,
    seconds: float,
    chance: Random,
    one: Callable[[float], Awaitable[None]],
    tasks: set[asyncio.Task[None]],
) -> None:
    """Starts `one(due)` at exponential gaps, `rate` a second on the average (a Poisson stream)."""
    due = time.monotonic()
    end = due + seconds
    while (due := due + chance.expovariate(rate)) < end:
        pause = due - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        task: asyncio.Task[None] = asyncio.create_task(_awaited(one(due)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def finish(tasks: set[asyncio.Task[None]]) -> None:
    """Waits for what is under way; raises what went wrong."""
    if tasks:
        await asyncio.gather(*tasks)
