"""One door to the database: `await db.write(work)` and `await db.read(work)`.

`work` is a plain function of a connection. It runs in one transaction, which is durable when `write`
returns; it cannot await, so nobody can call a provider with a transaction open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Work = Callable[[Connection], T]


class StoreUnavailable(Exception):
    """The database did not take the work, or its answer was lost. What was committed is unknown:
    the caller repeats by its unique key."""


class Database(Protocol):
    """SQLite or PostgreSQL behind the same two verbs."""

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction of its own and returns its value after the commit is on disk.
        An exception of `work` rolls back its changes and is raised here. Raises StoreUnavailable."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Runs `work` on one consistent snapshot; it must not write. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Finishes what is queued and closes every connection."""
        ...


async def open_database(url: str) -> Database:
    """Opens `sqlite:////path` or `postgresql://...` and brings it to the newest schema.

    Raises StoreUnavailable with one clear sentence when it cannot be opened."""
    if url.startswith("sqlite"):
        from store.sqlite import open_sqlite

        return await open_sqlite(url)
    if url.startswith("postgresql"):
        from store.postgres import open_postgres

        return await open_postgres(url)
    raise StoreUnavailable("the database address must begin with sqlite:/// or postgresql://")
