"""A SQLite file copied beside those who write to it, and put back.

The copy shows one instant: a read transaction is held while it is made, because SQLite begins an online
backup anew whenever somebody else writes, and on a busy server it would never end. The price is that the
write-ahead log is not shortened meanwhile (docs/operations.md).
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from store.backup import (
    TAKEN,
    BackupError,
    Copy,
    Finish,
    Progress,
    refuse_unless_empty,
    remove,
    safe_on_disk,
    sync_folder,
)
from store.clock import from_micros, to_micros
from store.migrate import TooNew, migrate
from store.sqlite import make_engine

T = TypeVar("T")
PAGES = 1024  # copied at once: 4 MB
_NEWEST = """
    SELECT max(coalesce((SELECT max(received_at) FROM inbox), 0),
               coalesce((SELECT max(at) FROM entries), 0))"""
REST = 0.005  # seconds of rest after them, so that the disk serves citizens first


def take_file(source: Path, partial: Path, now: datetime, progress: Progress) -> Copy:
    """Copies and checks. Raises BackupError, OSError."""
    if not source.is_file():
        raise BackupError(f"there is no SQLite file {source}")
    remove(partial)
    try:
        _copy(source, partial, progress)
        with closing(sqlite3.connect(partial)) as copy:
            schema = _schema(copy)
            _stamp(copy, now)
            _check(copy)
    except sqlite3.Error as error:
        raise BackupError(f"the SQLite file could not be copied ({type(error).__name__})") from error
    return Copy(partial, schema, now)


def _copy(source: Path, partial: Path, progress: Progress) -> None:
    """One consistent instant, in steps, from a connection that can only read."""

    def told(_status: int, remaining: int, pages: int) -> None:
        progress(1 - remaining / max(pages, 1))
        time.sleep(REST if remaining else 0)

    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as reader,
        closing(sqlite3.connect(partial)) as writer,
    ):
        reader.isolation_level = None
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on: this instant
        reader.backup(writer, pages=PAGES, progress=told)
        reader.execute("ROLLBACK")
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, which may lie on a read-only disk


def _schema(copy: sqlite3.Connection) -> str:
    try:
        (schema,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.OperationalError, TypeError):
        raise BackupError("the file is no database of limani") from None
    return str(schema)


def _stamp(copy: sqlite3.Connection, now: datetime) -> None:
    values = (TAKEN, "", to_micros(now))
    with copy:
        copy.execute("INSERT OR REPLACE INTO marks (name, value, at) VALUES (?, ?, ?)", values)


def _check(copy: sqlite3.Connection) -> None:
    (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise BackupError("the copy does not pass SQLite's integrity check: look after the disk")


def _refuse_torn(source: Path) -> None:
    """SQLite reads what is missing at a file's end as zeros; the header knows how long it was."""
    with source.open("rb") as file:
        head = file.read(100)
    size = int.from_bytes(head[16:18])
    pages = int.from_bytes(head[28:32])
    if source.stat().st_size != pages * (65536 if size == 1 else size):
        raise BackupError(f"{source} is torn: it is not as long as it was")


def put_file_back(path: Path, source: Path, finish: Finish[T], progress: Progress) -> T:
    """Makes the file beside its place, checks it there, and moves it in at the end."""
    _refuse_torn(source)
    if path.exists():
        _refuse_unless_empty(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.restoring")
    remove(fresh)
    try:
        _copy(source, fresh, progress)
        result = _finished(fresh, source, finish)
        remove(path)  # it was empty; what lies beside it would be taken for the new file's
        os.replace(fresh, path)
        sync_folder(path.parent)
    except (sqlite3.Error, DBAPIError) as error:
        raise BackupError(f"{source} could not be put back ({type(error).__name__})") from error
    except TooNew as error:
        raise BackupError(f"{source} was made by a newer limani: {error}") from None
    finally:
        remove(fresh)
    return result


def _finished(fresh: Path, source: Path, finish: Finish[T]) -> T:
    with closing(sqlite3.connect(fresh)) as copy:
        made = read_copy(copy, source)
        _check(copy)
    engine = make_engine(fresh)
    try:
        with engine.begin() as connection:
            migrate(connection)
            result = finish(connection, made)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(fresh)) as copy:
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    safe_on_disk(fresh)
    return result


def read_copy(copy: sqlite3.Connection, source: Path) -> Copy:
    """What a copy says of itself. A plain copy of a file (Litestream's, a disk image's) does not say when it
    was made, and then its newest sign of life counts. Raises BackupError."""
    schema = _schema(copy)
    row = copy.execute("SELECT at FROM marks WHERE name = ?", (TAKEN,)).fetchone()
    if row is None:
        row = copy.execute(_NEWEST).fetchone()
    return Copy(source, schema, from_micros(row[0]))


def _refuse_unless_empty(path: Path) -> None:
    engine = make_engine(path)
    try:
        with engine.connect() as connection:
            refuse_unless_empty(connection)
    except DBAPIError as error:
        raise BackupError(f"{path} is there and is no empty database: move it away first") from error
    finally:
        engine.dispose()
