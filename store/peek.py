"""A look at a database without opening it for work: nothing is made and nothing is migrated."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from store.database import StoreUnavailable, Work

T = TypeVar("T")


async def peek(url: str, work: Work[T], seconds: float = 5.0) -> T | None:
    """What `work` finds within so many seconds; None when the SQLite file is not there yet. Raises
    StoreUnavailable."""
    try:
        async with asyncio.timeout(seconds):
            return await (_sqlite(url, work) if url.startswith("sqlite") else _postgres(url, work))
    except (OSError, TimeoutError, SQLAlchemyError) as error:
        raise StoreUnavailable(f"the database does not answer ({type(error).__name__})") from error


async def _sqlite(url: str, work: Work[T]) -> T | None:
    from store.sqlite import make_engine

    path = Path(make_url(url).database or "")
    if path.is_dir():
        raise StoreUnavailable("the database address names a folder, not a file")
    if not path.is_file():
        return None

    def look() -> T:
        engine = make_engine(path, readers=True)
        try:
            with engine.connect() as connection:
                return work(connection)
        finally:
            engine.dispose()

    return await asyncio.to_thread(look)


async def _postgres(url: str, work: Work[T]) -> T:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
