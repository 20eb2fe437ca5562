"""Exhaustive crash points: the story is played once for every point, and the process killed at it.

First the story is played a few times without a crash, to learn which points there are. Then for each: a fresh
database, the story, kill -9 at the point, a new start at once, the rest of the story, the drain, the oracle.
Pairs are sampled: the second life is killed as well.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.rig import town
from tests.faults.rig.drain import drained
from tests.faults.rig.files import to_search
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import Ledger
from tests.faults.rig.oracle import judge
from tests.faults.rig.report import Progress
from tests.faults.rig.site import Site
from tests.faults.rig.verdict import Verdict
from tests.faults.story import Stage, Story
from tests.faults.warp import Warp

SPEED = 10.0
BASELINES = 3  # plays without a crash: what is reached in any of them is a point
SIDE_BY_SIDE = 4
MORE_TRIES = 2  # a point that a run did not come to is tried again so often
# The product's seconds are tenths of real ones here, and the machine's own delays are not: a step may begin
# two real seconds after its time, five after a start. At real speed the flood holds the strict limits.
LATE, LATE_AFTER_START = 2 * SPEED, 5 * SPEED


@dataclass(slots=True)
class Outcome:
    """One play: whether its crash points were reached, and what the oracle says."""

    verdict: Verdict
    crashes: int = 0
    points: list[str] = field(default_factory=list)


async def play(
    home: Home, folder: Path, template: Path, crash: Sequence[str] = (), count: bool = False
) -> Outcome:
    """The story once. `crash` names one point for each life of the process."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    database = Path(shutil.copy(template, folder / "limani.db"))
    warp = Warp(SPEED, str(folder / "dial"))
    ledger, verdict = Ledger(folder / "ledger.jsonl", warp.now), Verdict()
    port, counted = town.free_port(), folder / "points"
    async with Stage(folder, f"http://127.0.0.1:{port}", warp, ledger) as stage:
        rig: dict[str, Any] = {"warp": warp.as_given(), "count": str(counted) if count else None}
        rules = town.policy(seconds=8, repeat=3, contact="1h")
        url = f"sqlite:///{database}"
        site = Site(home, ledger, folder, url, port, stage.urls, rules, rig=rig)
        keeper = asyncio.create_task(_keep_alive(site, list(crash), verdict))
        try:
            await Story(stage, site).play()
            await drained(url, folder.rglob("spool-*.log"), verdict, within=30)
            await _stop(site, keeper)
        except (AssertionError, TimeoutError) as error:
            verdict.blame(f"the story broke off: {error!s:.300}")
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            for place in site.places:
                if place.child is not None and place.child.alive:
                    await site.kill(place)
    ledger.close()
    limits = {"late": LATE, "late_after_start": LATE_AFTER_START}
    verdict.add(await judge(ledger, stage.journal, url, to_search(folder), **limits))
    crashes = sum(life.how == "crash" for life in ledger.lives) + site.killed_commands
    return Outcome(verdict, crashes, counted.read_text().split("\n")[:-1] if count else [])


async def _keep_alive(site: Site, crash: list[str], verdict: Verdict) -> None:
    """Starts the process with its next crash point whenever it has died of the last one."""
    place = site.places[0]
    while True:
        place.rig = {**place.rig, "crash": [crash.pop(0)] if crash else None}
        await site.start(place, ready=False)
        assert place.child is not None
        assert place.life is not None
        await place.child.ended.wait()
        code = place.child.code
        site.ledger.ends(place.life, "crash" if code == -9 else "stop")
        if code == 0:
            return
        if code != -9:
            verdict.blame(f"the process ended by itself with {code}: {place.log.read_text()[-500:]}")
            return


async def _stop(site: Site, keeper: asyncio.Task[None]) -> None:
    """SIGTERM; a crash point on the way down leads to one more start and one more end."""
    place = site.places[0]
    for _ in range(4):
        assert place.child is not None
        if place.child.alive:
            await site.ready(place)
            place.child.signal(15)
            await place.child.ended.wait()
        done, _ = await asyncio.wait({keeper}, timeout=0.2)
        if done:
            return
    raise AssertionError("the process does not stop")


async def points_of(home: Home, folder: Path, template: Path, verdict: Verdict) -> list[str]:
    """Every point that any baseline reached, in the order of the first that reached it."""
    found: dict[str, None] = {}
    for number in range(BASELINES):
        outcome = await play(home, folder / f"baseline-{number}", template, count=True)
        verdict.add(outcome.verdict)
        found |= dict.fromkeys(outcome.points)
    return list(found)


async def these_points(home: Home, folder: Path, template: Path, points: Sequence[str]) -> Verdict:
    """Kills at these points alone: to look into what a run of all of them has found."""
    state = _State(Verdict())
    for point in points:
        await _one(home, folder / "crash-0", template, (point,), state)
    state.verdict.figures |= {"points killed at": len(state.reached)}
    return state.verdict


async def every_point(
    home: Home, folder: Path, template: Path, seed: int, *, most: int | None = None, pairs: int = 100
) -> tuple[int, Verdict]:
    """Kills at every point (at `most` sampled ones, if given) and at sampled pairs; how many kills."""
    verdict, chance = Verdict(), Random(seed)
    points = await points_of(home, folder, template, verdict)
    chosen = points if most is None or most >= len(points) else chance.sample(points, most)
    orders: list[tuple[str, ...]] = [(point,) for point in chosen]
    orders += [(chance.choice(points), chance.choice(points)) for _ in range(pairs)]
    bar, state = Progress("crash points", len(orders)), _State(verdict)

    async def worker(number: int) -> None:
        while orders:
            order = orders.pop(0)
            await _one(home, folder / f"crash-{number}", template, order, state)
            bar.at(state.played)

    await asyncio.gather(*(worker(number) for number in range(SIDE_BY_SIDE)))
    verdict.figures |= {
        "points of the story": len(points),
        "points killed at": len(state.reached),
        "points that no further run came to": len(state.missed),
        "pairs killed at": state.pairs,
        "points at which a first play was late, and a second was not": len(state.late),
    }
    return state.kills, verdict


@dataclass(slots=True)
class _State:
    verdict: Verdict
    played: int = 0
    kills: int = 0
    pairs: int = 0
    reached: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    late: set[tuple[str, ...]] = field(default_factory=set)

    def late_once(self, order: tuple[str, ...]) -> bool:
        """True the first time."""
        known = order in self.late
        self.late.add(order)
        return not known


async def _one(home: Home, folder: Path, template: Path, order: tuple[str, ...], state: _State) -> None:
    for _ in range(1 + MORE_TRIES):
        outcome = await play(home, folder, template, order)
        state.kills += outcome.crashes
        if outcome.verdict.late and not outcome.verdict.wrong and state.late_once(order):
            continue  # on a busy machine; a product that is late at this point is late again
        _name(outcome.verdict, order, folder)
        state.verdict.add(outcome.verdict)
        if outcome.crashes or len(order) > 1:
            break
    state.played += 1
    if len(order) > 1:
        state.pairs += outcome.crashes > 1
    else:
        (state.reached if outcome.crashes else state.missed).add(order[0])


def _name(verdict: Verdict, order: tuple[str, ...], folder: Path) -> None:
    """Each breach says at which point it happened; the folder is kept for whoever looks into it."""
    if not verdict.good:
        kept = folder.with_name(f"broken-{abs(hash(order)) % 10**8}")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept)
        verdict.wrong = [f"{' then '.join(order)}: {sentence} ({kept.name})" for sentence in verdict.wrong]
