"""kill -9 at random under a flood, on SQLite as one process and on PostgreSQL with each role in its own.

Also here because they need the same flood: SIGTERM in the middle of a drain, SIGSTOP of a worker past its
leases, and one of two workers killed.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.rig import town
from tests.faults.rig.drain import backlog, drained
from tests.faults.rig.driver import Driver
from tests.faults.rig.files import to_search
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import Ledger
from tests.faults.rig.oracle import judge
from tests.faults.rig.report import Progress
from tests.faults.rig.site import Place, Site
from tests.faults.rig.verdict import Verdict
from tests.faults.rig.world import World

SPLIT = ("web", "worker", "pager", "worker", "pager")
MOST_BACKLOG = 600  # messages that may wait before the citizens hold their breath


@dataclass(slots=True)
class Scene:
    """A running product in the midst of a flood."""

    site: Site
    driver: Driver
    ledger: Ledger
    world: World
    database_url: str
    verdict: Verdict


@asynccontextmanager
async def scene(
    home: Home,
    folder: Path,
    database_url: str,
    seed: int,
    roles: tuple[str, ...] = ("all",),
    red_share: float = 0.002,
    more: dict[str, str] | None = None,
) -> AsyncIterator[Scene]:
    """Everything up; after the block the drain, the end, and the verdict in `scene.verdict`."""
    folder.mkdir(parents=True, exist_ok=True)
    port, verdict = town.free_port(), Verdict()
    ledger = Ledger(folder / "ledger.jsonl")
    async with World(folder, f"http://127.0.0.1:{port}") as world:
        rules = town.policy(seconds=60, contact="6h")
        site = Site(home, ledger, folder, database_url, port, world.urls, rules, roles, more=more)
        async with Driver(ledger, site.places[0].url, seed, red_share) as driver:
            await site.start_all()
            yield Scene(site, driver, ledger, world, database_url, verdict)
        await drained(database_url, folder.rglob("spool-*.log"), verdict)
        await site.stop_all()
    ledger.close()
    verdict.add(await judge(ledger, world.journal, database_url, to_search(folder)))


async def random_kills(
    home: Home,
    folder: Path,
    database_url: str,
    seed: int,
    *,
    kills: int,
    messages: int,
    roles: tuple[str, ...] = ("all",),
) -> Verdict:
    """So many kills spread over so many messages, at random instants; a tenth of them during a start."""
    chance = Random(seed)
    bar = Progress(f"kills {'+'.join(dict.fromkeys(roles))}", messages)
    async with scene(home, folder, database_url, seed, roles) as here:
        flood = asyncio.create_task(
            here.driver.flood(max(20, min(400, messages // 50)), messages, lambda done: bar.at(done))
        )
        holding = asyncio.create_task(_keep_in_bounds(here))
        try:
            await _kill_along(here, flood, kills, messages, chance)
            await flood
        finally:
            holding.cancel()
            flood.cancel()
            with suppress(asyncio.CancelledError):
                await holding
    here.verdict.figures["bodies posted again"] = here.driver.repeats
    return here.verdict


async def _kill_along(
    here: Scene, flood: asyncio.Task[None], kills: int, messages: int, chance: Random
) -> None:
    """The n-th kill falls into the n-th share of the messages (or into the drain, when they are all in)."""
    for number in range(kills):
        threshold = messages * (number + chance.random()) / kills
        while len(here.ledger.accepted) < threshold and not flood.done():
            await asyncio.sleep(0.005)
        if flood.done() and (error := flood.exception()):
            raise error
        await asyncio.sleep(chance.random() * 0.2)
        place = chance.choice(here.site.places)
        await here.site.kill(place)
        if chance.random() < 0.1:
            await here.site.start(place, ready=False)
            await asyncio.sleep(chance.random() * 0.4)
            await here.site.kill(place)
        await here.site.start(place)


async def _keep_in_bounds(here: Scene) -> None:
    """The door takes faster than the turns: without a bound the whole flood would be in before the kills."""
    while True:
        waiting = await backlog(here.database_url)
        if waiting > MOST_BACKLOG:
            here.driver.hold.clear()
        else:
            here.driver.hold.set()
        await asyncio.sleep(0.25)


async def stopped_in_the_drain(home: Home, folder: Path, database_url: str, seed: int, times: int) -> Verdict:
    """SIGTERM while messages wait and are under way: it ends with 0, and the next start goes on."""

    async def act(here: Scene, place: Place) -> None:
        assert await here.site.stop(place) == 0, place.log.read_text()[-2000:]
        await here.site.start(place)

    return await _while_flooded(home, folder, database_url, seed, ("all",), times, act)


async def frozen_past_its_leases(
    home: Home, folder: Path, database_url: str, seed: int, times: int
) -> Verdict:
    """A worker that stood still past its leases finds them gone, and writes nothing over others."""

    async def act(here: Scene, place: Place) -> None:
        worker = next(one for one in here.site.places if one.roles == "worker")
        assert worker.child is not None
        worker.child.signal(signal.SIGSTOP)
        await asyncio.sleep(11)  # longer than a turn's lease
        worker.child.signal(signal.SIGCONT)

    roles = ("web", "worker", "worker", "pager")
    return await _while_flooded(home, folder, database_url, seed, roles, times, act)


async def one_of_two_killed(home: Home, folder: Path, database_url: str, seed: int, times: int) -> Verdict:
    """Of two workers one dies, and comes back only when the other has done its work for a while."""

    async def act(here: Scene, place: Place) -> None:
        worker = [one for one in here.site.places if one.roles == "worker"][-1]
        await here.site.kill(worker)
        await asyncio.sleep(1.5)
        await here.site.start(worker)

    roles = ("web", "worker", "worker", "pager")
    return await _while_flooded(home, folder, database_url, seed, roles, times, act)


async def _while_flooded(
    home: Home,
    folder: Path,
    database_url: str,
    seed: int,
    roles: tuple[str, ...],
    times: int,
    act: Callable[[Scene, Place], Awaitable[None]],
) -> Verdict:
    """`act`, so many times, each with three hundred messages on their way."""
    async with scene(home, folder, database_url, seed, roles, red_share=0.01) as here:
        for number in range(times):
            flood = asyncio.create_task(here.driver.flood(60, 300, since=300 * number))
            begun = time.monotonic()
            while len(here.ledger.accepted) < 300 * number + 150 and time.monotonic() - begun < 60:
                await asyncio.sleep(0.01)
            await act(here, here.site.places[0])
            await flood
    return here.verdict
