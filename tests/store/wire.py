"""What lies between a process and Redis, to be cut and to fall silent at will."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Wire:
    """Stands between us and Redis: it can be cut, and it can fall silent with its sockets open."""

    def __init__(self, redis_url: str) -> None:
        self._port = int(redis_url.rsplit(":", 1)[1].split("/")[0])
        self._pipes: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self.silent = asyncio.Event()

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def cut(self) -> None:
        """Every connection is gone."""
        for writer in self._writers:
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, to]
        self._pipes += [
            asyncio.create_task(self._carry(reader, to)),
            asyncio.create_task(self._carry(there, writer)),
        ]

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(65536):
                if not self.silent.is_set():
                    to.write(piece)
