"""Starts and ends the processes that are measured, each on the core that its role has."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench import cores
from bench.updates import SECRET, TOKEN
from bench.wire import ENV, Wire

ROOT = Path(__file__).parent.parent
KEY = base64.urlsafe_b64encode(b"limani-bench-key-32-bytes-long!!").decode()
ROSTER = {
    "people": {
        "eleni": {"name": "Eleni", "phone": "+306900000001", "languages": ["el", "en"]},
        "nikos": {"name": "Nikos", "phone": "+306900000002"},
        "dora": {"name": "Dora", "phone": "+306900000009", "role": "supervisor"},
    },
    "shifts": [{"days": "mon-sun", "from": "00:00", "to": "24:00", "order": ["eleni", "nikos"]}],
}


@dataclass(slots=True)
class Server:
    """A process that serves on `port`; `wire` tells what it hands to its transport."""

    name: str
    port: int
    process: asyncio.subprocess.Process
    wire: Wire | None
    begun: float  # seconds of the monotonic clock

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def wires(self) -> list[Wire]:
        """Where it tells what it hands over."""
        return [self.wire] if self.wire is not None else []

    def cpu(self) -> float:
        """Processor seconds used so far."""
        return cores.cpu_seconds(self.pid)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for what does not heed it."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), 10)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        if self.wire is not None:
            self.wire.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path, port: int, **more: str) -> dict[str, str]:
    """The product's environment: nothing of the machine's own LIMANI_ settings, no pace but our own."""
    roster, policy = folder / "roster.yaml", folder / "policy.yaml"
    roster.write_text(yaml.safe_dump(ROSTER))
    if not policy.exists():
        policy.write_text(yaml.safe_dump(rules(3600)))
    own = {name: value for name, value in os.environ.items() if not name.startswith("LIMANI_")}
    given = {
        "LIMANI_DATABASE_URL": f"sqlite:///{folder / 'limani.db'}",
        "LIMANI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LIMANI_PORT": str(port),
        "LIMANI_SECRET_KEYS": KEY,
        "LIMANI_ROSTER": str(roster),
        "LIMANI_POLICY": str(policy),
        "LIMANI_TELEGRAM_TOKEN": TOKEN,
        "LIMANI_TELEGRAM_SECRET": SECRET,
        "LIMANI_TELEGRAM_API_URL": "http://127.0.0.1:9",
        "LIMANI_TELEGRAM_RATE": "1000000",
        "LIMANI_TELEGRAM_CHAT_RATE": "1000000",
    }
    return own | given | more


def rules(seconds: int) -> dict[str, object]:
    """A paging policy with three steps of `seconds` each."""
    who = ("first", "second", "supervisor")
    steps = [{"who": one, "by": ["voice", "sms"], "for": f"{seconds}s"} for one in who]
    return {"steps": steps, "repeat": 3, "contact_within": "5m"}


async def start(
    name: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    port: int,
    log: Path,
    *,
    wired: bool = True,
    on: tuple[int, ...] = (cores.SERVER,),
) -> Server:
    """Starts a process bound to the cores `on`. Does not wait until it serves."""
    wire = Wire() if wired else None
    more = {"BENCH_PORT": str(port), "PYTHONPATH": str(ROOT)}
    if wire is not None:
        more[ENV] = str(wire.theirs.fileno())
    begun = time.monotonic()
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**environment, **more},
            cwd=log.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=(wire.theirs.fileno(),) if wire else (),
        )
    cores.pin(process.pid, *on)
    if wire is not None:
        wire.open()
    return Server(name, port, process, wire, begun)


@asynccontextmanager
async def house(
    folder: Path,
    more: Mapping[str, str] | None = None,
    *,
    role: str = "all",
    on: tuple[int, ...] = (cores.SERVER,),
) -> AsyncIterator[Server]:
    """The product with a stubbed transport, ready, in a folder of its own; `more` settings on top."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = (sys.executable, "-m", "bench.house", "--role", role)
    environment = settings(folder, port, **(more or {}))
    async with running(
        await start(f"ours-{role}", command, environment, port, folder / "server.log", on=on)
    ) as server:
        await ready(server, folder / "server.log")
        yield server


@asynccontextmanager
async def peer(name: str, *arguments: str, folder: Path, wired: bool = True) -> AsyncIterator[Server]:
    """One of bench.peers, serving."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = (sys.executable, "-m", f"bench.peers.{name}", *arguments)
    log = folder / f"{name}.log"
    async with running(await start(name, command, dict(os.environ), port, log, wired=wired)) as server:
        await listening(server, log)
        yield server


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    """Ends it, whatever happens."""
    try:
        yield server
    finally:
        await server.stop()


async def ready(server: Server, log: Path, path: str = "/readyz", within: float = 60) -> float:
    """Waits until `path` answers 200; returns seconds since the start. Raises RuntimeError if it ends."""
    async with asyncio.timeout(within):
        while await _status(server.port, path) != 200:
            _alive(server, log)
            await asyncio.sleep(0.005)
    return time.monotonic() - server.begun


async def listening(server: Server, log: Path, within: float = 60) -> None:
    """Waits until it takes connections."""
    async with asyncio.timeout(within):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.close()
                return
            _alive(server, log)
            await asyncio.sleep(0.02)


def _alive(server: Server, log: Path) -> None:
    if server.process.returncode is not None:
        raise RuntimeError(f"{server.name} has ended: {log.read_text(errors='replace')[-2000:]}")


async def _status(port: int, path: str) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        return int(line.split()[1]) if line else 0
    except OSError:
        return 0
    finally:
        writer.close()
