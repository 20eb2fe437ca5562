"""A client that costs next to nothing: HTTP/1.1 with keep-alive, bytes written by hand, one request at a
time on each connection. The generator must never be what is measured; `python -m bench` shows its limit.
"""

from __future__ import annotations

import asyncio
from typing import cast


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._got = bytearray()

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connects to a server of this machine."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return protocol

    async def post(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        """Sends one request (`head` from `request_head`); returns status and body. Raises ConnectionError."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(b"%s%d\r\n\r\n%s" % (head, len(body), body))
        return await self._waiting

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        size = _length(bytes(self._got[:end]))
        if len(self._got) < end + 4 + size:
            return
        status, body = int(self._got[9:12]), bytes(self._got[end + 4 : end + 4 + size])
        self._got.clear()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the server hung up"))


def request_head(path: str, **headers: str) -> bytes:
    """Everything of a POST up to the number of its Content-Length."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Content-Length: "]).encode()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0
