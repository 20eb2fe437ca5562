"""A proxy for bytes: between the product and a database or Redis, to be slow, to stall, or to cut.

`cut_at` is a sign in what the product sends (b"COMMIT"): every `every`-th time it is seen the connection is
cut, in turn before the server has it and after, so that nobody knows what was committed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class Wire:
    """`async with Wire(port) as wire: wire.port`."""

    def __init__(self, target: int, cut_at: bytes = b"", every: int = 0, delay: float = 0.0) -> None:
        self._target, self._cut_at, self._every = target, cut_at, every
        self.delay = delay
        self.port = self.cuts = self._seen = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Every connection, now."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers |= {writer, far_writer}
            await asyncio.gather(
                self._carry(reader, far_writer, writer, outward=True),
                self._carry(far_reader, writer, far_writer, outward=False),
            )
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        other: asyncio.StreamWriter,
        outward: bool,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if outward and self._due(data):
                    await self._cut_around(data, sink, other)
                    return
                sink.write(data)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)

    def _due(self, data: bytes) -> bool:
        if not self._cut_at or self._cut_at not in data:
            return False
        self._seen += 1
        return self._seen % self._every == 0

    async def _cut_around(self, data: bytes, sink: asyncio.StreamWriter, other: asyncio.StreamWriter) -> None:
        """Before the server has the words, or when it has done what they say and its answer is on the way."""
        self.cuts += 1
        if self.cuts % 2:
            sink.write(data)
            await sink.drain()
            other.transport.abort()
            await asyncio.sleep(0.1)
        else:
            other.transport.abort()
        sink.transport.abort()
