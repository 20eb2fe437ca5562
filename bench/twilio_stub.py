"""Twilio as the pager sees it: takes calls and texts, notes when each request came, and never rings."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

ACCOUNT, TOKEN, NUMBER = "AC" + "1" * 32, "bench-twilio", "+306900000000"


@dataclass(slots=True)
class TwilioStub:
    """`calls`: SID of each call, and the nanosecond of the monotonic clock at which it was asked for."""

    port: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    texts: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def settings(self) -> dict[str, str]:
        """What the product has to be told to use it."""
        return {
            "LIMANI_TWILIO_ACCOUNT_SID": ACCOUNT,
            "LIMANI_TWILIO_AUTH_TOKEN": TOKEN,
            "LIMANI_TWILIO_FROM": NUMBER,
            "LIMANI_TWILIO_API_URL": f"http://127.0.0.1:{self.port}",
            "LIMANI_TWILIO_CPS": "1000",
        }

    def answer(self, line: bytes) -> bytes:
        """The answer to a request with this first line."""
        method, path, _ = line.split(b" ", 2)
        if method == b"GET":
            sid = path.rpartition(b"/")[2].removesuffix(b".json").decode()
            return _response(200, sid, "ringing")
        calls = path.endswith(b"/Calls.json")
        sid = f"{'CA' if calls else 'SM'}{next(self._numbers):032x}"
        if calls:
            self.calls[sid] = time.monotonic_ns()
            self.asked.set()
        self.texts += not calls
        return _response(201, sid, "queued")


def _response(status: int, sid: str, state: str) -> bytes:
    body = f'{{"sid":"{sid}","status":"{state}","account_sid":"{ACCOUNT}"}}'.encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Line(asyncio.Protocol):
    """One connection of the product."""

    def __init__(self, stub: TwilioStub) -> None:
        self._stub, self._got = stub, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + _length(self._got[:end])
            if len(self._got) < whole:
                return
            line, self._got = self._got[: self._got.index(b"\r\n")], self._got[whole:]
            self._transport.write(self._stub.answer(line))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


@asynccontextmanager
async def twilio() -> AsyncIterator[TwilioStub]:
    """Serves on a free port."""
    stub = TwilioStub()
    server = await asyncio.get_running_loop().create_server(lambda: _Line(stub), "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()
