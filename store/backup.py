"""Copies of the database that can be put back: taken beside a running server, checked before they count.

A SQLite database is copied page by page by SQLite's own online backup; PostgreSQL by COPY from one snapshot,
which needs no program beside ours. A copy has its final name only when it is whole and on disk, and it is
put back only into a database that holds nothing yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

T = TypeVar("T")
Progress = Callable[[float], None]
"""Told how much is done, from 0 to 1."""
TAKEN = "backup_taken"  # the mark in a copy of a SQLite file that says when it was made
NOT_WORK = frozenset({"alembic_version", "marks"})  # what a fresh database holds as well


class BackupError(Exception):
    """Why there is no copy, or why it is not put back: one sentence."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a database. `schema` = its revision; `taken_at` = the instant that it shows."""

    path: Path
    schema: str
    taken_at: datetime


Finish = Callable[[Connection, Copy], T]
"""What is to be done on the restored rows before anybody sees them; an exception of it puts nothing back."""


async def take(url: str, target: Path, now: datetime, progress: Progress) -> Copy:
    """Copies the database to `target`, which must not exist. Raises BackupError."""
    target = target.resolve()
    if target.is_dir():
        target = target / f"limani-{now:%Y%m%dT%H%M%SZ}{'.db' if _is_sqlite(url) else '.zip'}"
    if target.exists():
        raise BackupError(f"{target} exists already: a backup overwrites nothing")
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}")
    partial = target.with_name(f"{target.name}.partial")
    try:
        copy = await _take(url, partial, now, progress)
        safe_on_disk(partial)
        os.replace(partial, target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupError(f"cannot write {target}: {error.strerror}") from error
    finally:
        remove(partial)
    return Copy(target, copy.schema, copy.taken_at)


async def _take(url: str, partial: Path, now: datetime, progress: Progress) -> Copy:
    if _is_sqlite(url):
        from store.backup_sqlite import take_file

        return take_file(_file(url), partial, now, progress)
    from store.backup_postgres import take_tables

    return await take_tables(url, partial, now, progress)


async def put_back(url: str, source: Path, finish: Finish[T], progress: Progress) -> T:
    """Fills an empty database from a copy and brings it to the newest schema, all or nothing; gives what
    `finish` returned. Raises BackupError, and whatever `finish` raises."""
    if not source.is_file():
        raise BackupError(f"there is no file {source}")
    kind = _kind(source)
    if _is_sqlite(url):
        from store.backup_sqlite import put_file_back

        if kind != "sqlite":
            raise BackupError("a backup of PostgreSQL is put back into PostgreSQL only")
        return put_file_back(_file(url), source, finish, progress)
    from store.backup_postgres import put_tables_back

    return await put_tables_back(url, source, kind, finish, progress)


def refuse_unless_empty(connection: Connection) -> None:
    """Raises BackupError when any table of the database holds a row that a fresh one would not."""
    for name in inspect(connection).get_table_names():
        if name in NOT_WORK:
            continue
        quoted = connection.dialect.identifier_preparer.quote(name)
        if connection.execute(text(f"SELECT 1 FROM {quoted} LIMIT 1")).first() is not None:  # noqa: S608
            raise BackupError(
                f"the database is not empty (table {name}): a backup is put back into an empty one only"
            )


def safe_on_disk(path: Path) -> None:
    """Returns when the file's bytes are on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """A new name is only safe when the folder that holds it is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """The file, if it is there, and what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _file(url: str) -> Path:
    name = make_url(url).database
    if not name:
        raise BackupError("the SQLite address names no file: sqlite:////absolute/path")
    return Path(name).resolve()


def _kind(source: Path) -> str:
    with source.open("rb") as file:
        head = file.read(16)
    if head == b"SQLite format 3\0":
        return "sqlite"
    if head.startswith(b"PK"):
        return "zip"
    raise BackupError(f"{source} is no backup of limani, or it has been changed")
