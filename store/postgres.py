"""PostgreSQL by asyncpg: the same work functions, run inside SQLAlchemy's async bridge.

Serialisation failures and deadlocks are repeated here; a connection that dies during COMMIT is not,
because what was committed is then unknown: the caller repeats by its unique key.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store.database import StoreUnavailable, Work
from store.migrate import TooNew, migrate_postgres
from store.points import reach

T = TypeVar("T")
_REPEATABLE = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available
_TRIES = 5


class PostgresDatabase:
    """See store.database.Database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(self, work: Work[T]) -> T:
        for attempt in range(_TRIES):
            try:
                async with self._engine.begin() as connection:
                    result = await connection.run_sync(work)
                    reach("store.commit")
                reach("store.committed")
                return result
            except DBAPIError as error:
                if _sqlstate(error) in _REPEATABLE and attempt + 1 < _TRIES:
                    continue
                _raise(error)
            except (OSError, TimeoutError) as error:
                raise StoreUnavailable("PostgreSQL does not answer") from error
        raise StoreUnavailable("PostgreSQL refused the transaction again and again")

    async def read(self, work: Work[T]) -> T:
        try:
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)
        except DBAPIError as error:
            _raise(error)
        except (OSError, TimeoutError) as error:
            raise StoreUnavailable("PostgreSQL does not answer") from error
        raise AssertionError("unreachable")

    async def close(self) -> None:
        await self._engine.dispose()


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")


def _raise(error: DBAPIError) -> None:
    """A broken connection or a server that is going away is "unavailable"; the rest is a bug or a rule."""
    state = _sqlstate(error)
    if error.connection_invalidated or isinstance(error, InterfaceError) or state[:2] in {"08", "53", "57"}:
        raise StoreUnavailable(f"PostgreSQL does not answer ({state or 'connection lost'})") from error
    raise error


async def open_postgres(url: str) -> PostgresDatabase:
    """Opens and migrates the database that the address names."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    options: dict[str, Any] = {"pool_size": 8, "max_overflow": 8, "pool_pre_ping": True}
    engine = create_async_engine(parsed, **options)
    try:
        await migrate_postgres(engine)
    except TooNew as error:
        await engine.dispose()
        raise StoreUnavailable(str(error)) from None
    except (OSError, TimeoutError, DBAPIError) as error:
        await engine.dispose()
        raise StoreUnavailable(f"cannot open PostgreSQL at {parsed.host or 'the local socket'}") from error
    return PostgresDatabase(engine)
