"""Does it matter how much is stored? A thousand citizens against a million with ten million messages.

The same returning citizens, the same words, on two databases: what a turn costs, and how long a red message
takes to the request for a call.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from statistics import median

from bench import cores, fill, servers, template
from bench.load import Crowd, Result
from bench.reds import Reds
from bench.run import Figure, Figures, RowFailed, Run, as_detail, say, shown
from bench.servers import Server
from bench.twilio_stub import TwilioStub, twilio

SMALL, LARGE = (1_000, 10_000), (1_000_000, 10_000_000)  # citizens and messages, at least
QUICK = (4_000, 40_000)
SECONDS = 6.0
REDS = 40  # in each round
RED_RATE = 8.0  # a second


class Place:
    """One of the two databases, served."""

    def __init__(self, server: Server, url: str, phones: TwilioStub, blocks: int) -> None:
        self.server, self.phones, self.url = server, phones, url
        self.crowd = Returning(server, blocks)
        self.turns: list[Result] = []
        self.waits: list[float] = []
        self._reds = itertools.count()
        self._blocks = blocks

    async def round(self, run: Run) -> None:
        """A period of turns, then some red messages one by one."""
        result = await self.crowd.closed(run.seconds(SECONDS))
        if result.stray:
            raise RowFailed(f"{result.stray} messages answered nothing")
        self.turns.append(result)
        self.phones.calls.clear()
        reds = Reds(self.crowd, (self._red(next(self._reds)) for _ in itertools.count()))
        await reds.flow(RED_RATE, (8 if run.quick else REDS) / RED_RATE)
        waits = await reds.waits(self.url, self.phones)
        self.waits += waits
        say(f"  {self.server.name}: {shown(result)}; to the call p50 {median(waits):.1f} ms")

    def _red(self, number: int) -> int:
        """Somebody who wrote once, a while ago; spread over all that is stored."""
        lone = template.RED - template.HELPED
        block = (number * 7919) % self._blocks
        return fill.FIRST_CHAT + block * template.BLOCK + template.HELPED + (number // self._blocks) % lone

    @property
    def middle(self) -> Result:
        """The period with the middle processor time a turn."""
        return sorted(self.turns, key=lambda one: one.cpu_us)[len(self.turns) // 2]


class Returning(Crowd):
    """Citizens who were helped before and come again, in any order; so nobody may be left in mid-form."""

    finishes = True

    def __init__(self, server: Server, blocks: int) -> None:
        super().__init__(server, fill.FIRST_CHAT)
        self._blocks = blocks
        self._busy: set[int] = set()

    def citizens(self) -> Iterator[int]:
        """Helped ones whose tickets are closed, nobody who is talking at the moment."""
        chance = Random(5)
        while True:
            block, number = chance.randrange(self._blocks), chance.randrange(template.HELPED - template.OPEN)
            citizen = fill.FIRST_CHAT + block * template.BLOCK + number
            if citizen not in self._boxes:
                yield citizen


async def measure(run: Run) -> Figures:
    """Both figures, as multiples of those with a thousand citizens."""
    folder = run.place("size")
    async with AsyncExitStack() as stack:
        places = {
            name: await _place(stack, folder / name, name, size, run)
            for name, size in (("small", SMALL), ("large", QUICK if run.quick else LARGE))
        }
        for place in places.values():
            await place.crowd.learn()
        for _ in range(run.rounds()):
            for place in places.values():
                await place.round(run)
    shutil.rmtree(folder)
    small, large = places["small"], places["large"]
    detail = {name: as_detail(place.middle) for name, place in places.items()}
    waits = {name: median(place.waits) for name, place in places.items()}
    pages = {name: round(wait, 2) for name, wait in waits.items()}
    few, many = small.middle.cpu_us, large.middle.cpu_us
    return {
        "size_cpu": Figure(many / few, f"{many:.0f} us", f"{few:.0f} us", detail),
        "size_page": Figure(
            waits["large"] / waits["small"],
            *(f"{waits['large']:.1f} ms", f"{waits['small']:.1f} ms", {"p50_ms": pages}),
        ),
    }


def _copy(file: Path, to: Path) -> None:
    """All the way to the disk: gigabytes that are still being written would hold up every commit after."""
    shutil.copy(file, to)
    with to.open("rb+") as written:
        os.fsync(written.fileno())


async def _place(stack: AsyncExitStack, folder: Path, name: str, size: tuple[int, int], run: Run) -> Place:
    folder.mkdir(parents=True, exist_ok=True)
    file, blocks = await fill.database(name, *size, folder)
    await asyncio.to_thread(_copy, file, folder / "limani.db")
    phones = await stack.enter_async_context(twilio())
    begun = time.monotonic()
    server = await stack.enter_async_context(servers.house(folder, phones.settings()))
    server.name = name
    memory = cores.resident_mib(server.pid)
    say(f"  {name}: ready after {time.monotonic() - begun:.1f} s, {memory:.0f} MiB resident")
    return Place(server, f"sqlite:///{folder / 'limani.db'}", phones, blocks)
