"""The rig's side of tests.faults.house: starts products and commands, kills them, hears of their end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent.parent


@dataclass(eq=False)
class Child:
    """One forked process. `code` is negative when a signal ended it."""

    order: int
    pid: int = 0
    code: int | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet, as far as we have heard."""
        return self.code is None

    def signal(self, number: int) -> None:
        """Sends a signal; harmless when it has ended."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """kill -9, and waits for the end."""
        self.signal(signal.SIGKILL)
        await self.ended.wait()

    async def stop(self, within: float = 20) -> int:
        """SIGTERM; its exit code. A process that does not stop is an error of the product."""
        self.signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            await self.ended.wait()
        assert self.code is not None
        return self.code


class Home:
    """`async with Home() as home`: a house of its own; everything in it dies with it. `environment` is added
    to the house's own (and so is what it preloads), `tree` is another checkout whose product it forks."""

    def __init__(self, environment: dict[str, str] | None = None, tree: Path = ROOT) -> None:
        self._environment, self._tree = environment or {}, tree
        self._process: asyncio.subprocess.Process | None = None
        self._children: dict[int, Child] = {}
        self._last = 0
        self._listener: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "tests" / "faults" / "house.py")),
            cwd=self._tree,
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listener = asyncio.create_task(self._listen())
        async with asyncio.timeout(60):
            await self._ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in list(self._children.values()):
            child.signal(signal.SIGKILL)
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        if self._listener is not None:
            await self._listener

    async def start(
        self,
        arguments: list[str],
        environment: dict[str, str],
        log: Path,
        rig: dict[str, Any] | None = None,
        output: Path | None = None,
    ) -> Child:
        """Forks a `limani ARGUMENTS`; returns once it has a process id."""
        self._last += 1
        child = self._children[self._last] = Child(self._last)
        order = {
            "order": self._last,
            "arguments": arguments,
            "environment": environment,
            "log": str(log),
            "output": str(output) if output else None,
            "rig": rig or {},
        }
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await child.begun.wait()
        return child

    async def command(
        self, arguments: list[str], environment: dict[str, str], folder: Path, rig: dict[str, Any]
    ) -> tuple[int, str, str]:
        """Runs a command of the command line beside: exit code, output, errors."""
        out, log = folder / f"cli-{self._last}.out", folder / f"cli-{self._last}.log"
        child = await self.start(arguments, environment, log, rig, out)
        async with asyncio.timeout(60):
            await child.ended.wait()
        assert child.code is not None
        return child.code, out.read_text(), log.read_text()

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(json.loads(line))

    def _hear(self, news: dict[str, Any]) -> None:
        if "ready" in news:
            self._ready.set()
            return
        child = self._children[news["order"]]
        if "pid" in news:
            child.pid = news["pid"]
            child.begun.set()
        else:
            child.code = news["code"]
            child.ended.set()
            del self._children[news["order"]]
