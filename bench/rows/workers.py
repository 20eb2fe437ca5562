"""Scale out: what a turn costs when two processes share the work instead of one.

One door and pager, and one or two workers, on PostgreSQL and Redis. The same citizens at once for each
worker, so that each has as much to do as the single one had.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from bench import cores, servers
from bench.load import Crowd, Result
from bench.postgres import new_database, postgres, redis
from bench.run import Figure, Figures, RowFailed, Run, as_detail, say, shown
from bench.servers import Server

SECONDS = 8.0
AT_ONCE = 48


class House:
    """A door and its workers, counted as one server: the processor time is that of the workers."""

    def __init__(self, door: Server, workers: list[Server]) -> None:
        self.door, self.workers = door, workers
        self.name, self.port = door.name, door.port
        self.wires = [wire for server in (door, *workers) for wire in server.wires]

    def cpu(self) -> float:
        """Processor seconds of all workers together."""
        return cores.cpu_seconds(*(worker.pid for worker in self.workers))


async def measure(run: Run) -> Figures:
    """Workers' processor time for a turn with two of them, as a multiple of that with one."""
    folder = run.place("workers")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(postgres())
        bell = await stack.enter_async_context(redis(folder))
        crowds = {}
        for count in (1, 2):
            database = await new_database(url, f"workers_{count}")
            house = await _house(stack, folder / f"of-{count}", count, database, bell)
            crowds[f"{count}"] = Crowd(house, 10_000_000 * count)
            await crowds[f"{count}"].learn()
        results = await _rounds(run, crowds)
    one, two = results["1"], results["2"]
    detail = {"one": as_detail(one), "two": as_detail(two)}
    return {
        "workers": Figure(two.cpu_us / one.cpu_us, f"{two.cpu_us:.0f} us", f"{one.cpu_us:.0f} us", detail)
    }


async def _house(stack: AsyncExitStack, folder: Path, count: int, url: str, bell: str) -> House:
    shared = {"LIMANI_DATABASE_URL": url, "LIMANI_REDIS_URL": bell}
    door = await stack.enter_async_context(
        servers.house(folder / "door", shared, role="web,pager", on=cores.BOTH)
    )
    workers = [
        await stack.enter_async_context(
            servers.house(folder / f"worker-{number}", shared, role="worker", on=cores.BOTH)
        )
        for number in range(count)
    ]
    return House(door, workers)


async def _rounds(run: Run, crowds: dict[str, Crowd]) -> dict[str, Result]:
    """A B A B, each with as many citizens at once as its workers can have; the median by processor time."""
    results: dict[str, list[Result]] = {name: [] for name in crowds}
    for number in range(run.rounds()):
        for name, crowd in crowds.items():
            result = await crowd.closed(run.seconds(SECONDS), AT_ONCE * int(name))
            if result.stray:
                raise RowFailed(f"{result.stray} messages answered nothing")
            results[name].append(result)
            say(f"  round {number + 1}, {name} worker(s): {shown(result)}")
    return {name: sorted(each, key=lambda one: one.cpu_us)[len(each) // 2] for name, each in results.items()}
