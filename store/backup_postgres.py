"""PostgreSQL copied by COPY from one snapshot into a zip file, and put back in one transaction.

    manifest.json           schema revision, the instant, and each table's columns and count of rows
    tables/<name>.copy      the rows, in PostgreSQL's own binary format

The manifest is written last, and a zip file ends with its table of contents: a torn copy is not taken for a
whole one. A copy of a SQLite database is put back here too: so a town that outgrows one machine moves.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store.backup import NOT_WORK, BackupError, Copy, Finish, Progress, refuse_unless_empty
from store.clock import from_micros, to_micros
from store.migrate import HEAD, TooNew, current, migrate

T = TypeVar("T")
_MANIFEST = "manifest.json"
_FORMAT = 1
_PIECE = 256 * 1024
_TROUBLE = (OSError, TimeoutError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class _Part:
    """One table of a copy. `size` is only for the progress: bytes or rows."""

    name: str
    columns: list[str]
    size: int


async def take_tables(url: str, partial: Path, now: datetime, progress: Progress) -> Copy:
    """Copies every table as it is at one instant. Raises BackupError, OSError."""
    try:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                schema = await _schema(connection)
                await _write(connection, partial, schema, now, progress)
        finally:
            await connection.close()
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
        raise BackupError(f"PostgreSQL could not be copied ({type(error).__name__})") from error
    return Copy(partial, schema, now)


async def _schema(connection: Any) -> str:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise BackupError("the database is no database of limani")
    return str(await connection.fetchval("SELECT version_num FROM alembic_version"))


async def _write(connection: Any, partial: Path, schema: str, now: datetime, progress: Progress) -> None:
    parts, told = await _parts(connection), []
    whole, done = max(1, sum(part.size for part in parts)), 0
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in parts:
            rows = await _table(connection, archive, part, _share(progress, done, part.size, whole))
            told.append({"name": part.name, "columns": part.columns, "rows": rows})
            done += part.size
        manifest = {"limani": "backup", "format": _FORMAT, "schema": schema}
        manifest |= {"taken_at": to_micros(now), "tables": told}
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    progress(1.0)


async def _table(
    connection: Any, archive: zipfile.ZipFile, part: _Part, written: Callable[[int], None]
) -> int:
    """Copies one table; how many rows it has."""
    with archive.open(f"tables/{part.name}.copy", "w", force_zip64=True) as file:

        async def keep(piece: bytes) -> None:
            file.write(piece)
            written(len(piece))

        status: str = await connection.copy_from_table(
            part.name, columns=part.columns, output=keep, format="binary"
        )
    return int(status.split()[-1])


def _share(progress: Progress, done: int, size: int, whole: int) -> Callable[[int], None]:
    """Progress inside one table, whose size on disk is only a guess of how many bytes come."""
    written = 0

    def more(count: int) -> None:
        nonlocal written
        written += count
        progress((done + min(written, size)) / whole)

    return more


async def _parts(connection: Any) -> list[_Part]:
    """Every table but Alembic's own, which the migrations of the restored schema write again."""
    query = """
        SELECT c.relname AS name, pg_table_size(c.oid) AS size,
               array_agg(a.attname::text ORDER BY a.attnum) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
          AND c.relname <> 'alembic_version'
        GROUP BY c.oid ORDER BY c.relname"""
    return [_Part(row["name"], row["columns"], row["size"]) for row in await connection.fetch(query)]


async def put_tables_back(url: str, source: Path, kind: str, finish: Finish[T], progress: Progress) -> T:
    """Makes the schema that the copy has, fills it, goes on to the newest: one transaction."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        with _opened(source, kind) as copy:
            return await _fill(engine, copy, finish, progress)
    except _TROUBLE as error:
        raise BackupError(f"{source} could not be put back ({type(error).__name__})") from error
    except TooNew as error:
        raise BackupError(f"{source} was made by a newer limani: {error}") from None
    finally:
        await engine.dispose()


async def _fill(engine: AsyncEngine, copy: _Source, finish: Finish[T], progress: Progress) -> T:
    if copy.made.schema > HEAD:
        raise TooNew(f"it has schema {copy.made.schema}, and this program knows {HEAD}")
    async with engine.begin() as connection:
        await connection.run_sync(_prepare, copy.made.schema)
        raw = (await connection.get_raw_connection()).driver_connection
        done, whole = 0, max(1, sum(part.size for part in copy.parts))
        for part in await connection.run_sync(_in_order, copy.parts):
            await copy.pour(raw, part)
            done += part.size
            progress(done / whole)
        await connection.run_sync(migrate)
        return await connection.run_sync(finish, copy.made)


def _prepare(connection: Connection, schema: str) -> None:
    refuse_unless_empty(connection)
    found = current(connection)
    if found is not None and found != schema:
        raise BackupError(
            f"the database has schema {found} and the backup {schema}: give it a database without any tables"
        )
    migrate(connection, schema)
    for name in NOT_WORK - {"alembic_version"}:
        connection.exec_driver_sql(f'DELETE FROM "{name}"')  # noqa: S608 - a name of ours


def _in_order(connection: Connection, parts: list[_Part]) -> list[_Part]:
    """What others point to comes first."""
    known = MetaData()
    known.reflect(connection)
    by_name = {part.name: part for part in parts}
    return [by_name[table.name] for table in known.sorted_tables if table.name in by_name]


class _Source(ABC):
    """A copy that is being read."""

    made: Copy
    parts: list[_Part]

    @abstractmethod
    def close(self) -> None:
        """Ends the reading."""

    @abstractmethod
    async def pour(self, raw: Any, part: _Part) -> None:
        """Puts one table's rows into the database."""


class _Zip(_Source):
    def __init__(self, source: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(source)
            manifest = json.loads(self._archive.read(_MANIFEST))
            known = manifest["limani"] == "backup" and manifest["format"] == _FORMAT
            taken_at, tables = from_micros(manifest["taken_at"]), manifest["tables"]
            self.made = Copy(source, manifest["schema"], taken_at)
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
            raise BackupError(f"{source} is no whole backup of limani") from None
        if not known:
            raise BackupError(f"{source} was made by a newer limani")
        self.parts = [_Part(table["name"], table["columns"], table["rows"]) for table in tables]

    def close(self) -> None:
        self._archive.close()

    async def pour(self, raw: Any, part: _Part) -> None:
        """The zip file's own check sums tell changed bytes at the end of each table."""
        try:
            status = await raw.copy_to_table(
                part.name, columns=part.columns, source=self._pieces(part), format="binary"
            )
        except (zipfile.BadZipFile, zlib.error):
            raise BackupError(f"{self.made.path} has been changed or damaged") from None
        if int(status.split()[-1]) != part.size:
            raise BackupError(f"{self.made.path} has not all rows of the table {part.name}")

    async def _pieces(self, part: _Part) -> AsyncIterator[bytes]:
        with self._archive.open(f"tables/{part.name}.copy") as file:
            while piece := file.read(_PIECE):
                yield piece


class _File(_Source):
    """A SQLite copy: the same tables; booleans are numbers there."""

    def __init__(self, source: Path) -> None:
        from store.backup_sqlite import read_copy

        self._file = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        self.made = read_copy(self._file, source)
        names = self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self.parts = [self._part(name) for (name,) in names if name != "alembic_version"]

    def _part(self, name: str) -> _Part:
        columns = [row[1] for row in self._file.execute(f'PRAGMA table_info("{name}")')]
        (rows,) = self._file.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
        return _Part(name, columns, rows)

    def close(self) -> None:
        self._file.close()

    async def pour(self, raw: Any, part: _Part) -> None:
        listed = ", ".join(f'"{column}"' for column in part.columns)
        there = await raw.prepare(f'SELECT {listed} FROM "{part.name}"')  # noqa: S608 - names of ours
        truths = [place for place, one in enumerate(there.get_attributes()) if one.type.name == "bool"]
        rows = self._file.execute(f'SELECT {listed} FROM "{part.name}"')  # noqa: S608
        await raw.copy_records_to_table(part.name, columns=part.columns, records=_typed(rows, truths))


def _typed(rows: Iterable[tuple[Any, ...]], truths: list[int]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for place in truths:
            values[place] = bool(values[place])
        yield values


def _opened(source: Path, kind: str) -> closing[_Source]:
    return closing(_File(source) if kind == "sqlite" else _Zip(source))
