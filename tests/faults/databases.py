"""What a database does on a bad day: busy, full, starved of checkpoints; restarted, cut, locked, failed over.

While it is away the spool takes what comes, or the door says 503; when it is back, nothing is missing.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from tests.faults.rig.home import Home
from tests.faults.rig.servers import Postgres
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.verdict import Verdict
from tests.faults.rig.wire import Wire

SPLIT = ("web", "worker", "pager")
# A store that was away may have kept a page waiting: its own limits begin when it is back.
AWAY = 30.0


async def sqlite_busy(home: Home, folder: Path, seed: int, seconds: float = 15) -> tuple[int, Verdict]:
    """Another program holds the write lock for longer than the product waits for it."""

    async def act(here: Here) -> None:
        foreign = sqlite3.connect(folder / "limani.db", isolation_level=None, check_same_thread=False)
        foreign.execute("PRAGMA busy_timeout=20000")
        await asyncio.to_thread(foreign.execute, "BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        foreign.execute("ROLLBACK")
        foreign.close()

    return await flooded(home, folder, seed, Wish(late=AWAY, late_after_start=AWAY), act)


async def disk_full(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """No file of the process may grow any more, database, spool and log alike: everything is answered 503 and
    comes again. The limit is the process's own (RLIMIT_FSIZE): no root and no special disk is needed."""

    async def act(here: Here) -> None:
        child = here.site.places[0].child
        assert child is not None
        for _ in range(3):
            whole = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (1, whole[1]))
            await asyncio.sleep(2)
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, whole)
            await asyncio.sleep(1)

    return await flooded(home, folder, seed, Wish(late=AWAY, late_after_start=AWAY), act, injected=3)


async def disk_really_full(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """The same on a disk of eight megabytes that is filled to the last byte. Needs root for the mount."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    mount = await asyncio.create_subprocess_exec("mount", "-t", "tmpfs", "-o", "size=8m", "limani", str(disk))
    assert await mount.wait() == 0, "a small disk cannot be mounted here: run this one as root"

    async def act(here: Here) -> None:
        filler = disk / "filler"
        for _ in range(3):
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(b"\0" * 4096):
                        pass
                except OSError:
                    pass
            await asyncio.sleep(2)
            filler.unlink()
            await asyncio.sleep(1)

    try:
        wish = Wish(f"sqlite:///{disk / 'limani.db'}", late=AWAY, late_after_start=AWAY)
        done = await flooded(home, folder / "run", seed, wish, act, injected=3)
        await asyncio.to_thread(shutil.copy, disk / "limani.db", folder / "limani.db")
        return done
    finally:
        await (await asyncio.create_subprocess_exec("umount", "-l", str(disk))).wait()


async def checkpoint_starved(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """A reader holds an old snapshot, so that the write-ahead log only grows; then it goes."""

    async def act(here: Here) -> None:
        foreign = sqlite3.connect(folder / "limani.db", isolation_level=None, check_same_thread=False)
        foreign.execute("BEGIN")
        foreign.execute("SELECT count(*) FROM inbox").fetchall()
        await asyncio.sleep(6)
        grown = (folder / "limani.db-wal").stat().st_size
        foreign.execute("ROLLBACK")
        foreign.close()
        here.verdict.figures["write-ahead log while a reader stayed, MB"] = round(grown / 1e6, 1)

    return await flooded(home, folder, seed, Wish(), act)


async def postgres_restarted(home: Home, folder: Path, seed: int, times: int = 4) -> tuple[int, Verdict]:
    """Immediate shutdowns every few seconds under load."""
    async with one_postgres(folder) as server:

        async def act(here: Here) -> None:
            for _ in range(times):
                await asyncio.sleep(3)
                await server.stop("immediate")
                await asyncio.sleep(0.5)
                await server.start()

        wish = Wish(await server.database("restarted"), SPLIT, late=AWAY, late_after_start=AWAY, drain=120)
        return await flooded(home, folder, seed, wish, act, injected=times, pause=0.02)


async def commit_cut(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """The connection dies around COMMIT, before it and after it in turn: nobody knows what was committed."""
    async with one_postgres(folder) as server, Wire(server.port, b"COMMIT", every=25) as wire:
        url = (await server.database("cut")).replace(f":{server.port}/", f":{wire.port}/")

        async def act(here: Here) -> None:
            await asyncio.sleep(8)

        wish = Wish(url, SPLIT, late=AWAY, late_after_start=AWAY, drain=120)
        _, verdict = await flooded(home, folder, seed, wish, act, pause=0.02)
    return wire.cuts, verdict


async def pool_exhausted(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """Somebody locks the inbox for longer than anybody waits: every connection of the pool hangs on it."""
    async with one_postgres(folder) as server:
        url = await server.database("locked")

        async def act(here: Here) -> None:
            foreign = await asyncpg.connect(url)
            await foreign.execute("BEGIN; LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(12)
            await foreign.execute("ROLLBACK")
            await foreign.close()

        wish = Wish(url, SPLIT, late=AWAY, late_after_start=AWAY, drain=120)
        return await flooded(home, folder, seed, wish, act)


async def failed_over(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """The primary dies, its synchronous standby is promoted, and the address that names both finds it."""
    standby_folder = _short(folder, "standby")
    synchronous = {"synchronous_standby_names": "*", "synchronous_commit": "remote_apply"}
    async with one_postgres(folder, {"wal_level": "replica", "max_wal_senders": "4"}) as primary:
        await primary.database("failover")
        standby = await primary.clone(standby_folder)
        try:
            for name, value in synchronous.items():
                await primary.run(f"ALTER SYSTEM SET {name} = '{value}'")
            await primary.run("SELECT pg_reload_conf()")

            async def act(here: Here) -> None:
                await asyncio.sleep(3)
                await primary.stop("immediate")
                await asyncio.sleep(1)
                await standby.run("SELECT 1")
                await standby.promote()

            url = primary.url("failover", standby)
            wish = Wish(url, SPLIT, late=AWAY, late_after_start=AWAY, drain=120)
            return await flooded(home, folder, seed, wish, act, pause=0.02)
        finally:
            await standby.stop("immediate")
            shutil.rmtree(standby_folder, ignore_errors=True)


async def flooded(
    home: Home,
    folder: Path,
    seed: int,
    wish: Wish,
    act: Callable[[Here], Awaitable[None]],
    injected: int = 1,
    pause: float = 0.0,
) -> tuple[int, Verdict]:
    """`act` while citizens write; the flood goes on until it is done."""
    async with setting(home, folder, seed, wish) as here:
        going = True

        async def citizen(number: int) -> None:
            count = 0
            while going or count < 2:
                count += 1
                red = number % 10 == 3 and count == 2
                await here.driver.say(number, count, number * 10_000 + count, red=red)
                await asyncio.sleep(0.2 + pause)

        flood = asyncio.gather(*(citizen(number) for number in range(30)))
        await asyncio.sleep(1)
        await act(here)
        await asyncio.sleep(1)
        going = False
        await flood
    here.verdict.figures["bodies posted again"] = here.driver.repeats
    return injected, here.verdict


@asynccontextmanager
async def one_postgres(folder: Path, options: dict[str, str] | None = None) -> AsyncIterator[Postgres]:
    """A server for one fault."""
    async with Postgres(_short(folder, "pg"), options) as server:
        yield server


def _short(folder: Path, what: str) -> Path:
    path = Path(f"/tmp/limani-faults-{what}-{os.getpid()}-{abs(hash(folder)) % 10**6}")
    shutil.rmtree(path, ignore_errors=True)
    return path
