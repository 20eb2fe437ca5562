"""Brings a database to the newest schema, or says that it already is there, or that it is newer than we.

A migration says which programs may run on what it leaves (`RUNS_WITH`), and the database remembers it: so an
older program goes on serving while a newer one has migrated already (docs/decisions/0007). Alembic does the
work; it is imported only when there is work, because a start has to be quick.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:  # a start on SQLite has no use for it
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0002"  # a test holds it against the newest file of the folder
FLOOR = "schema_floor"  # the mark that names the oldest program (its HEAD) that may run on this schema
LOCK_SECONDS = 2  # how long a migration may stand in the way of those who serve, each time that it tries
TRIES = 20
_PAUSE = 3.0  # seconds between two tries: those who waited behind us get through first
_LOCK = 0x6C696D616E69  # "limani": two processes that start together migrate one after the other
_BUSY = {"55P03", "40P01"}  # lock not available, deadlock
_REVISION = re.compile(r"\d{4}")


class TooNew(ValueError):
    """The database has been migrated by a newer program, and ours may not run on what it left."""


def current(connection: Connection) -> str | None:
    """The revision that the database has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def behind(connection: Connection, head: str | None = None) -> bool:
    """Whether migrations are missing for a program of `head` (ours). Raises TooNew.

    Revisions are four digits and only grow, so a greater one is newer than we know."""
    found, head = current(connection), head or HEAD
    if found is None or found < head:
        return True
    if found > head and (_floor(connection) or found) > head:
        raise TooNew(
            f"the database is at schema {found}, which this program (schema {head}) may not use: "
            "start a newer limani, or restore a backup from before the migration"
        )
    return False


def _floor(connection: Connection) -> str | None:
    query = text("SELECT value FROM marks WHERE name = :name")
    found = connection.execute(query, {"name": FLOOR}).scalar()
    return str(found) if found is not None else None


def migrate(connection: Connection, to: str | None = None) -> None:
    """Runs the missing migrations, up to `to` (all of them), in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if not behind(connection):
        return
    from alembic import command

    command.upgrade(_config(connection), to or HEAD)
    _remember_floor(connection)


def _config(connection: Connection | None = None) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _remember_floor(connection: Connection) -> None:
    """Which programs may run here from now on; written in the transaction that changes the schema."""
    from store.clock import SystemClock, to_micros

    found = current(connection)
    (module,) = [module for revision, module in scripts() if revision == found]
    floor, now = getattr(module, "RUNS_WITH", found), to_micros(SystemClock().now())
    values = {"name": FLOOR, "value": floor, "at": now}
    connection.execute(text("DELETE FROM marks WHERE name = :name"), {"name": FLOOR})
    connection.execute(text("INSERT INTO marks (name, value, at) VALUES (:name, :value, :at)"), values)


def scripts() -> list[tuple[str, Any]]:
    """Every migration, oldest first: its revision and its module."""
    from alembic.script import ScriptDirectory

    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    return [(script.revision, script.module) for script in reversed(list(walked))]


def migrate_sqlite(engine: Engine) -> None:
    """The same for a SQLite file; BEGIN IMMEDIATE makes a second process wait. Raises TooNew."""
    with engine.connect() as connection:
        missing = behind(connection)
    if missing:
        with engine.begin() as connection:
            migrate(connection)


async def migrate_postgres(engine: AsyncEngine) -> None:
    """The same beside processes that serve: one migrator at a time, one migration in a transaction, and no
    lock that those who serve would have to wait for longer than LOCK_SECONDS. Raises TooNew."""
    async with engine.connect() as connection:
        if not await connection.run_sync(behind):
            return
        fresh = await connection.run_sync(current) is None
    async with _alone(engine):
        if fresh:
            async with engine.begin() as connection:
                await connection.run_sync(migrate)
            return
        for revision, module in await asyncio.to_thread(scripts):
            await _one(engine, revision, module)


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Holds the migrators' lock on a connection of its own: work in the background of a live database needs
    more than one transaction. A process that dies gives the lock back with its connection."""
    async with engine.connect() as plain:
        keeper = await plain.execution_options(isolation_level="AUTOCOMMIT")
        await keeper.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK + 1})
        try:
            yield
        finally:
            await keeper.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK + 1})


async def _one(engine: AsyncEngine, revision: str, module: Any) -> None:
    """One migration, if it is missing: first what may be built in the background, then the short change."""
    async with engine.connect() as connection:
        found = await connection.run_sync(current)
    if found is not None and found >= revision:
        return
    for index in getattr(module, "INDEXES", ()):
        await _build(engine, index)
    for attempt in range(TRIES):
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                await connection.run_sync(migrate, revision)
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _BUSY or attempt + 1 == TRIES:
                raise
            await asyncio.sleep(_PAUSE)


async def _build(engine: AsyncEngine, index: Any) -> None:
    """An index on a table in use. One that a crash left half built is thrown away first."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        if await _is_broken(connection, index.name):
            await connection.execute(text(f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"'))
        await connection.execute(text(index.concurrently()))


async def _is_broken(connection: AsyncConnection, name: str) -> bool:
    query = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool((await connection.execute(query, {"name": f'"{name}"'})).scalar())
