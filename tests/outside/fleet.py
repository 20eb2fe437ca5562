"""Several processes of the product, behind one address and on one database, as a larger town has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.outside.product import Product, free_port


class Balancer:
    """Takes connections and gives each to the next door that opens: what nginx or a cloud does."""

    def __init__(self) -> None:
        self.port, self.doors = free_port(), list[int]()
        self._pipes: set[asyncio.Task[None]] = set()
        self._turn = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Balancer:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._turn += 1
        for step in range(len(self.doors)):
            with suppress(OSError):
                port = self.doors[(self._turn + step) % len(self.doors)]
                there, to = await asyncio.open_connection("127.0.0.1", port)
                self._carry(reader, to)
                self._carry(there, writer)
                return
        writer.close()

    def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        async def carry() -> None:
            with suppress(OSError):
                while piece := await source.read(65536):
                    to.write(piece)
                    await to.drain()
            to.close()

        task = asyncio.create_task(carry())
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)


class Fleet:
    """Processes by role. The first web process is the product that owns the providers."""

    def __init__(self, balancer: Balancer, first: Product) -> None:
        self.balancer, self.first = balancer, first
        self.processes: dict[str, Product] = {"web0": first}

    async def add(self, folder: Path, *names: str, **changes: Any) -> None:
        """Starts processes such as worker1, beside each other."""
        added = []
        for name in names:
            (folder / name).mkdir()
            one = self.first.beside(folder / name, name.rstrip("0123456789"))
            one.public_url, one.patience = self.balancer.url, 80  # many start at once
            for field, value in changes.items():
                setattr(one, field, value)
            self.processes[name] = one
            added.append(one)
        await asyncio.gather(*(one.start() for one in added))
        self.balancer.doors += [one.port for one in added if one.roles == "web"]

    async def stop(self) -> None:
        """Whoever still runs ends well."""
        others = [one for name, one in self.processes.items() if name != "web0"]
        await asyncio.gather(*(one.stop() for one in others))

    def logs(self) -> str:
        """What all of them printed."""
        return "".join(one.log() for one in self.processes.values())


@asynccontextmanager
async def fleet(folder: Path, database_url: str, redis_url: str, **changes: Any) -> AsyncIterator[Fleet]:
    """One web process with its providers behind a balancer; `add` brings the others."""
    (folder / "web0").mkdir()
    async with Balancer() as balancer:
        first = Product(folder / "web0", database_url, roles="web", public_url=balancer.url, **changes)
        first.extra["LIMANI_REDIS_URL"] = redis_url
        balancer.doors.append(first.port)
        async with first:
            made = Fleet(balancer, first)
            try:
                yield made
            finally:
                await made.stop()
