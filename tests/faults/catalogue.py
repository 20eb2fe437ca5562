"""All faults by name, in the order in which they are run, and how much of each the short run takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from store.database import open_database
from tests.faults import (
    clocks,
    crash,
    databases,
    deploys,
    flood,
    providers,
    redis_faults,
    twilio_order,
    webhooks,
)
from tests.faults.rig.home import Home
from tests.faults.rig.report import Line
from tests.faults.rig.verdict import Verdict

SHORT_KILLS, SHORT_MESSAGES, SHORT_POINTS, SHORT_PAIRS = 8, 1500, 24, 4
POSTGRES_SHARE = 0.2  # of the kills and of the messages


@dataclass(frozen=True, slots=True)
class Run:
    """What every fault is given: a house, a folder of its own, a seed, and how much of everything."""

    home: Home
    folder: Path
    seed: int
    kills: int
    messages: int
    short: bool
    points: tuple[str, ...] = ()  # crash points to look into, instead of all

    def within(self, name: str) -> Run:
        """The same in a folder of its own."""
        return replace(self, folder=self.folder / name)

    @property
    def template(self) -> Path:
        """A migrated, empty database."""
        return self.folder.parent / "template.db"

    async def prepare(self) -> None:
        """Makes what all share."""
        database = await open_database(f"sqlite:///{self.folder / 'template.db'}")
        await database.close()


@dataclass(frozen=True, slots=True)
class Fault:
    """`what` it is, in a few words. `short`: the short run takes part of it."""

    what: str
    work: Callable[[Run], Awaitable[list[Line]]]
    short: bool = False


async def _kills_sqlite(run: Run) -> list[Line]:
    kills = SHORT_KILLS if run.short else round(run.kills * (1 - POSTGRES_SHARE))
    messages = SHORT_MESSAGES if run.short else round(run.messages * (1 - POSTGRES_SHARE))
    url = f"sqlite:///{run.folder / 'limani.db'}"
    verdict = await flood.random_kills(run.home, run.folder, url, run.seed, kills=kills, messages=messages)
    return [Line("kill -9 under flood, SQLite", kills, verdict)]


async def _kills_postgres(run: Run) -> list[Line]:
    kills, messages = round(run.kills * POSTGRES_SHARE), round(run.messages * POSTGRES_SHARE)
    async with databases.one_postgres(run.folder) as server:
        verdict = await flood.random_kills(
            run.home,
            run.folder,
            await server.database("flood"),
            run.seed,
            kills=kills,
            messages=messages,
            roles=flood.SPLIT,
        )
    return [Line("kill -9 of roles, PostgreSQL", kills, verdict)]


async def _crash_points(run: Run) -> list[Line]:
    if run.points:
        verdict = await crash.these_points(run.home, run.folder, run.template, run.points)
        return [Line("chosen crash points", len(run.points), verdict)]
    most, pairs = (SHORT_POINTS, SHORT_PAIRS) if run.short else (None, 100)
    kills, verdict = await crash.every_point(
        run.home, run.folder, run.template, run.seed, most=most, pairs=pairs
    )
    return [Line("crash points and pairs", kills, verdict)]


async def _stopped(run: Run) -> list[Line]:
    url = f"sqlite:///{run.folder / 'limani.db'}"
    verdict = await flood.stopped_in_the_drain(run.home, run.folder, url, run.seed, 5)
    return [Line("SIGTERM in the drain", 5, verdict)]


async def _frozen(run: Run) -> list[Line]:
    async with databases.one_postgres(run.folder) as server:
        url = await server.database("frozen")
        verdict = await flood.frozen_past_its_leases(run.home, run.folder, url, run.seed, 2)
    return [Line("SIGSTOP past the leases", 2, verdict)]


async def _one_of_two(run: Run) -> list[Line]:
    async with databases.one_postgres(run.folder) as server:
        url = await server.database("two")
        verdict = await flood.one_of_two_killed(run.home, run.folder, url, run.seed, 3)
    return [Line("one of two workers killed", 3, verdict)]


async def _matrix(run: Run) -> list[Line]:
    return await providers.provider_matrix(run.home, run.folder, run.seed, core=run.short)


async def _faketime(run: Run) -> list[Line]:
    return [Line("wall clock by libfaketime", *await clocks.faketime_steps(run.folder, run.seed))]


def _by(
    name: str, work: Callable[[Home, Path, int], Awaitable[tuple[int, Verdict]]]
) -> Callable[[Run], Awaitable[list[Line]]]:
    async def one(run: Run) -> list[Line]:
        injected, verdict = await work(run.home, run.folder, run.seed)
        return [Line(name, injected, verdict)]

    return one


FAULTS: dict[str, Fault] = {
    "kills-sqlite": Fault("random kill -9 under flood, one process", _kills_sqlite, short=True),
    "kills-postgres": Fault("the same with every role a process of its own", _kills_postgres),
    "crash-points": Fault("kill -9 at every await, commit and request", _crash_points, short=True),
    "sigterm": Fault("SIGTERM while messages wait and are under way", _stopped),
    "sigstop": Fault("a worker that stood still past its leases", _frozen),
    "one-of-two": Fault("one of two workers killed", _one_of_two),
    "webhooks": Fault(
        "doubled, reordered, late, replayed, poisoned",
        _by("strange webhooks", webhooks.strange_webhooks),
        short=True,
    ),
    "matrix": Fault("every failure of every provider call", _matrix, short=True),
    "unreachable": Fault(
        "refused, hung, nameless, without TLS", _by("providers not reached", providers.unreachable)
    ),
    "twilio-order": Fault(
        "callbacks reversed, doubled, missing, early",
        _by("Twilio callbacks out of order", twilio_order.callbacks),
    ),
    "clock-set": Fault(
        "the clock is set while a person is searched for",
        _by("clock set, an hour, a day", clocks.clock_set),
        short=True,
    ),
    "clock-changes": Fault(
        "both nights on which clocks change", _by("clock-change nights", clocks.clock_changes)
    ),
    "faketime": Fault("the same by libfaketime (Debian: faketime)", _faketime),
    "sqlite-busy": Fault(
        "another program holds the write lock", _by("SQLite busy for 15 s", databases.sqlite_busy)
    ),
    "disk-full": Fault(
        "no file may grow: database, spool and log", _by("disk full, by limit", databases.disk_full)
    ),
    "disk-really-full": Fault(
        "a small disk filled to the last byte (root)", _by("disk full, tmpfs", databases.disk_really_full)
    ),
    "checkpoint": Fault(
        "a long reader starves the checkpoint", _by("checkpoint starved", databases.checkpoint_starved)
    ),
    "postgres-restart": Fault(
        "immediate shutdowns under load", _by("PostgreSQL restarted", databases.postgres_restarted)
    ),
    "commit-cut": Fault(
        "the connection dies around COMMIT", _by("connection cut at COMMIT", databases.commit_cut)
    ),
    "pool": Fault("every connection hangs on a lock", _by("pool exhausted", databases.pool_exhausted)),
    "failover": Fault(
        "a synchronous standby is promoted", _by("PostgreSQL failed over", databases.failed_over)
    ),
    "redis": Fault(
        "absent, flushed, slow, read-only, cut, killed", _by("Redis on a bad day", redis_faults.redis_bad_day)
    ),
    "two-versions": Fault(
        "two versions at once, a migration with pages", _by("two versions in a deploy", deploys.two_versions)
    ),
    "restore": Fault(
        "a backup put back, everything sent again", _by("restore from backup", deploys.restored)
    ),
}
