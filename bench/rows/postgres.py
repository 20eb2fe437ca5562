"""The same full turns on a real PostgreSQL, its processes on the other core, against those on SQLite."""

from __future__ import annotations

from bench import servers
from bench.load import Crowd
from bench.postgres import postgres
from bench.run import Figure, Figures, Run, as_detail, rounds

SECONDS = 8.0


async def measure(run: Run) -> Figures:
    """The rate on PostgreSQL as a share of the rate on SQLite."""
    folder = run.place("postgres")
    async with (
        postgres() as url,
        servers.house(folder / "postgres", {"LIMANI_DATABASE_URL": url}) as there,
        servers.house(folder / "sqlite") as here,
    ):
        crowds = {"postgres": Crowd(there, 10_000_000), "sqlite": Crowd(here, 20_000_000)}
        for crowd in crowds.values():
            await crowd.learn()
        results = await rounds(run, crowds, SECONDS)
    far, near = results["postgres"], results["sqlite"]
    detail = {name: as_detail(result) for name, result in results.items()}
    return {
        "postgres": Figure(
            far.rate / near.rate, f"{far.rate:.0f} turns/s", f"{near.rate:.0f} turns/s", detail
        )
    }
