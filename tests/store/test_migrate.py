"""Schemas that change under those who serve: who may run where, one at a time, and nobody waits for long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store import migrate as migrations
from store.database import Database, open_database
from store.migrate import FLOOR, HEAD, TooNew, behind, current, migrate, migrate_postgres, scripts
from store.online import LiveIndex
from store.sqlite import make_engine


def _set(tx: Connection, revision: str, floor: str) -> None:
    tx.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    tx.execute(text("UPDATE marks SET value = :to WHERE name = :name"), {"to": floor, "name": FLOOR})


async def test_the_database_remembers_which_programs_may_run_on_it(database: Database) -> None:
    modules = dict(scripts())

    def floor(tx: Connection) -> str:
        query = text("SELECT value FROM marks WHERE name = :name")
        return str(tx.execute(query, {"name": FLOOR}).scalar_one())

    assert await database.read(floor) == modules[HEAD].RUNS_WITH


async def test_an_older_program_runs_on_a_newer_schema_that_says_so(database: Database) -> None:
    await database.write(lambda tx: _set(tx, "9998", "0002"))
    assert await database.read(behind) is False
    assert await database.read(lambda tx: behind(tx, "0002")) is False


async def test_an_older_program_refuses_a_schema_that_it_would_misread(
    database: Database, database_url: str
) -> None:
    await database.write(lambda tx: _set(tx, "9998", "9997"))
    with pytest.raises(TooNew) as caught:
        await database.read(behind)
    assert "9998" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_migration_says_which_programs_may_run_on_it() -> None:
    """Revisions are compared as text, and floors never fall: what one forbids stays forbidden."""
    found = scripts()
    assert found[-1][0] == HEAD
    assert [revision for revision, _ in found] == sorted(revision for revision, _ in found)
    assert all(re.fullmatch(r"\d{4}", revision) for revision, _ in found)
    floors = [module.RUNS_WITH for revision, module in found if revision > "0001"]
    assert floors == sorted(floors)
    assert all(floor <= revision for floor, (revision, _) in zip(floors, found[1:], strict=True))


def test_the_first_migration_lets_only_its_own_program_run(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "old.db")
    with engine.begin() as connection:
        migrate(connection, "0001")
        query = text("SELECT value FROM marks WHERE name = :name")
        assert connection.execute(query, {"name": FLOOR}).scalar_one() == "0001"
    engine.dispose()


async def test_processes_that_start_together_migrate_once(second_postgres_url: str, tmp_path: Path) -> None:
    for url in (second_postgres_url, f"sqlite:///{tmp_path / 'together.db'}"):
        opened = await asyncio.gather(
            *(asyncio.to_thread(asyncio.run, _open_and_close(url)) for _ in range(3))
        )
        assert opened == [HEAD] * 3


async def _open_and_close(url: str) -> str | None:
    database = await open_database(url)
    found = await database.read(current)
    await database.close()
    return found


@pytest.fixture
async def old(second_postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A PostgreSQL database as the first release left it."""
    engine = create_async_engine(make_url(second_postgres_url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(migrate, "0001")
    yield engine
    await engine.dispose()


async def _indexes(engine: AsyncEngine, table: str) -> set[str]:
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda tx: inspect(tx).get_indexes(table))
    return {str(index["name"]) for index in found}


async def test_a_live_database_is_migrated_in_small_steps(old: AsyncEngine) -> None:
    await migrate_postgres(old)
    async with old.connect() as connection:
        assert await connection.run_sync(current) == HEAD
    assert {"inbox_waiting", "inbox_behind"} <= await _indexes(old, "inbox")
    assert "inbox_work" not in await _indexes(old, "inbox")


async def test_an_index_that_a_crash_left_half_built_is_built_anew(old: AsyncEngine) -> None:
    async with old.begin() as connection:
        await connection.execute(text("CREATE INDEX inbox_waiting ON inbox (id)"))
        await connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'inbox_waiting'::regclass")
        )
    await migrate_postgres(old)
    async with old.connect() as connection:
        query = text("SELECT indisvalid, indpred IS NOT NULL FROM pg_index")
        where = text(f"{query.text} WHERE indexrelid = 'inbox_waiting'::regclass")
        assert tuple((await connection.execute(where)).one()) == (True, True)


async def test_a_migration_keeps_nobody_waiting(
    old: AsyncEngine, second_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the table: the migration gives up soon, tries again, and those who serve get through
    in between. With no limit to its patience everybody would queue behind it."""
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(migrations, "_PAUSE", 0.3)
    for index in dict(scripts())["0002"].INDEXES:
        await migrations._build(old, index)
    reader, server = await asyncpg.connect(second_postgres_url), await asyncpg.connect(second_postgres_url)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM inbox")
        work = asyncio.create_task(migrate_postgres(old))
        waits = [await _timed(server) for _ in range(20)]
        assert not work.done()
    await asyncio.wait_for(work, 20)
    await reader.close()
    await server.close()
    assert max(waits) < 2.0
    assert "inbox_work" not in await _indexes(old, "inbox")


async def _timed(server: asyncpg.Connection) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await server.fetch("SELECT count(*) FROM inbox")
    await asyncio.sleep(0.05)
    return loop.time() - begun


def test_a_live_index_is_the_same_on_both_databases(tmp_path: Path) -> None:
    index = LiveIndex("some", "inbox", ("citizen_id", "id"), "state = 'new'")
    assert index.concurrently() == (
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS "some" ON "inbox" ("citizen_id", "id") WHERE state = \'new\''
    )
    engine = make_engine(tmp_path / "new.db")
    with engine.begin() as connection:
        migrate(connection)
        query = text("SELECT sql FROM sqlite_master WHERE name = 'inbox_behind'")
        assert "WHERE state = 'new' OR state = 'taken'" in connection.execute(query).scalar_one()
    engine.dispose()
