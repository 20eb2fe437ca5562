"""A loop that looks at its rows again and again, woken by the bell, and never dies of one bad row.

Each pass that did its work leaves a beat, so that a loop that stands still can be seen from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType

import structlog

from store import bell as bells
from store.bell import Bell
from store.clock import monotonic
from store.figures import Histogram

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Loop:
    """`work` does what is due and says whether there may be more. `topics` wake it; `every` seconds it
    looks by itself."""

    name: str
    work: Callable[[], Awaitable[bool]]
    topics: tuple[str, ...] = ()
    every: float = 1.0


class Pulse:
    """When each loop last finished a pass, in seconds of the monotonic clock, and how its passes went."""

    def __init__(self) -> None:
        self.beats: dict[str, float] = {}
        self.every: dict[str, float] = {}
        self.errors: dict[str, int] = {}
        self.passes: dict[str, int] = {}
        self.spans: dict[str, Histogram] = {}

    def begin(self, loop: Loop) -> None:
        """A loop starts."""
        self.beats[loop.name] = monotonic()
        self.every[loop.name] = loop.every
        self.spans[loop.name] = Histogram()

    def beat(self, name: str, since: float) -> None:
        """A pass that began at `since` has done its work."""
        now = self.beats[name] = monotonic()
        self.passes[name] = self.passes.get(name, 0) + 1
        self.spans[name].add(now - since)

    def miss(self, name: str) -> None:
        """A pass has failed."""
        self.errors[name] = self.errors.get(name, 0) + 1

    def late(self, limit: float) -> list[str]:
        """Names of the loops that should have finished a pass `limit` seconds ago."""
        now = monotonic()
        return [name for name, at in self.beats.items() if now - at > limit + self.every.get(name, 0)]


async def run(loop: Loop, bell: Bell, pulse: Pulse) -> None:
    """Runs until cancelled. An exception costs one pass and a second of waiting, not the loop."""
    pulse.begin(loop)
    with bell.listen(*loop.topics) as ring:
        while True:
            begun = monotonic()
            try:
                more = await loop.work()
                pulse.beat(loop.name, begun)
            except Exception as error:
                pulse.miss(loop.name)
                log.error(
                    "loop_failed",
                    loop=loop.name,
                    error=type(error).__name__,
                    where=place(error.__traceback__),
                )
                more = False
                await asyncio.sleep(min(1.0, loop.every))
            if not more:
                await bells.wait(ring, loop.every)


def place(trace: TracebackType | None) -> str:
    """File and line where it happened. Never the message: it may hold a citizen's words."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}"
