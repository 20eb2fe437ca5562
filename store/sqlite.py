"""SQLite: WAL, synchronous=FULL, one writer thread with group commit, readers beside it.

All work that waits while a commit is being made durable goes into the next transaction together, each
piece in a savepoint of its own. One fsync then pays for many citizens, and none is told "done" before it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from store.checkpoint import Checkpoints
from store.clock import monotonic
from store.database import StoreUnavailable, Work
from store.figures import Figures
from store.migrate import TooNew, migrate_sqlite
from store.points import reach

T = TypeVar("T")
BATCH = 64  # pieces of work in one commit at most: bounds how long the first one waits for the last
BUSY_SECONDS = 10  # how long another process may hold the write lock before we give up
_READERS = 2

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
)


class _Task:
    """One piece of work on its way through the writer thread."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Work[Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteDatabase:
    """See store.database.Database."""

    def __init__(self, path: Path, engine: Engine, readers: Engine) -> None:
        self._checkpoints = Checkpoints(path)
        self._engine = engine
        self._readers = readers
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._closed = False
        self.figures = Figures()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Work[T]) -> T:
        if self._closed:
            raise StoreUnavailable("the database is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._tasks.put(_Task(work, future))
        return await future

    async def read(self, work: Work[T]) -> T:
        try:
            return await self._loop.run_in_executor(self._pool, self._read, work)
        except DBAPIError as error:
            raise StoreUnavailable(_sentence(error)) from error

    def _read(self, work: Work[T]) -> T:
        with self._readers.connect() as connection:
            return work(connection)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._tasks.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._checkpoints.close)
        self._pool.shutdown()
        self._readers.dispose()
        self._engine.dispose()

    def _serve(self) -> None:
        """The writer thread: one transaction after another until close."""
        connection: Connection | None = None
        while True:
            batch, closing = self._next_batch()
            if batch:
                begun = monotonic()
                try:
                    connection = connection or self._engine.connect()
                    _commit_batch(connection, batch)
                    self.figures.span(monotonic() - begun, "batch_seconds")
                    self.figures.size(len(batch), "batch_works")
                except Exception as error:
                    _drop(connection)
                    connection = None
                    _fail(batch, error)
                self._hand_back(batch)
                if connection is not None:
                    self._checkpoints.finish(connection.connection.driver_connection)
            if closing:
                _drop(connection)
                return

    def _next_batch(self) -> tuple[list[_Task], bool]:
        batch: list[_Task] = []
        task = self._tasks.get()
        while task is not None:
            batch.append(task)
            if len(batch) == BATCH:
                return batch, False
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _hand_back(self, batch: list[_Task]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, batch)
        except RuntimeError:  # the event loop is closed: nobody waits for these answers any more
            return


def _settle(batch: list[_Task]) -> None:
    for task in batch:
        task.settle()


def _drop(connection: Connection | None) -> None:
    if connection is not None:
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()


def _fail(batch: list[_Task], error: BaseException) -> None:
    """The commit itself failed: nothing of this batch is certain, so each caller is told so."""
    unavailable = StoreUnavailable(_sentence(error))
    unavailable.__cause__ = error
    for task in batch:
        task.error = unavailable


class _Undone(Exception):
    """The only piece of work of a transaction failed: the transaction is rolled back."""


def _commit_batch(connection: Connection, batch: list[_Task]) -> None:
    with suppress(_Undone):
        with connection.begin():
            _run_all(connection, batch)
            reach("store.commit")
        reach("store.committed")


def _run_all(connection: Connection, batch: list[_Task]) -> None:
    if len(batch) == 1:
        (task,) = batch
        _run(connection, task)
        if task.error is not None:
            raise _Undone
        return
    driver: Any = connection.connection.driver_connection
    for task in batch:
        driver.execute("SAVEPOINT piece")
        _run(connection, task)
        if task.error is not None:
            driver.execute("ROLLBACK TO piece")
        driver.execute("RELEASE piece")


def _run(connection: Connection, task: _Task) -> None:
    try:
        task.result = task.work(connection)
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.OperationalError):
            raise  # disk full, I/O error, busy: the whole batch fails and is retried by its callers
        task.error = error
    except Exception as error:
        task.error = error


def _sentence(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return f"the SQLite file did not answer ({type(cause).__name__})"


def make_engine(path: Path, *, readers: bool = False, served: bool = False) -> Engine:
    """An engine on the file with our pragmas; transactions are ours (pysqlite would begin too late).

    `served`: store.checkpoint writes the log back, no commit does."""
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": 512}
    pool: dict[str, Any] = {"poolclass": NullPool}
    if readers:
        pool = {"poolclass": QueuePool, "pool_size": _READERS}
    engine = create_engine(f"sqlite:///{path}", connect_args=arguments, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if readers:
            connection.execute("PRAGMA query_only=ON")
        if served:
            connection.execute("PRAGMA wal_autocheckpoint=0")

    begin = "BEGIN" if readers else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


async def open_sqlite(url: str) -> SqliteDatabase:
    """Opens (and makes, and migrates) the file that the address names."""
    name = make_url(url).database
    if not name:
        raise StoreUnavailable("the SQLite address names no file: sqlite:////absolute/path")
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = make_engine(path, served=True)
        await asyncio.to_thread(migrate_sqlite, engine)
    except TooNew as error:
        raise StoreUnavailable(str(error)) from None
    except (OSError, DBAPIError) as error:
        raise StoreUnavailable(f"cannot open the SQLite file {path.name}: {_sentence(error)}") from error
    return SqliteDatabase(path, engine, make_engine(path, readers=True))
