"""A proxy that breaks things on order, between the product and a provider (HTTP) or a server (bytes).

HTTP: one request at a time is read whole, given to the provider or not, and its answer spoilt or not. The
order for a request is chosen by `plan`, a function of the request that returns the name of a fault or None.

    before      never answered, and the provider never saw it         after     the provider did it, no answer
    reset       the answer breaks off with a RST                      half      it breaks off with a FIN
    truncated   a whole answer whose JSON is cut                      drip      a byte now and then
    slow        everything works, the answer takes a second           garbage   200 with HTML, nothing done
    429, 429-bare, 401, 403, 500, 502, ...                            the provider's own way of saying so

`refuse()` closes the port, `hang()` leaves connections to a full queue of the kernel, `mend()` serves again.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_HOLD = 30.0  # the product's seconds that an unanswered request is held: longer than any of its time-outs


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came in."""

    line: str
    head: bytes
    body: bytes


Plan = Callable[[Request], str | None]


class Proxy:
    """`async with Proxy(url) as proxy: proxy.url`. `speed`: the product's seconds per real one."""

    def __init__(self, target: str, speed: float = 1.0) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._speed = speed
        self._server: asyncio.Server | None = None
        self._hung: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.plan: Plan = lambda _: None
        self.delay = 0.0
        self.injected: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where the product is to go."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    async def mend(self) -> None:
        """Serves, on the same port as ever."""
        for hung in self._hung:
            hung.close()
        self._hung.clear()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens; what is open is cut."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hang(self) -> None:
        """The port is there and its queue is full: a connection is neither taken nor refused."""
        await self.refuse()
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", self.port))
        door.listen(0)
        self._hung.append(door)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._hung.append(filler)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read(reader)) is not None:
                fault = self.plan(request)
                if fault:
                    self.injected[fault] += 1
                if not await self._answer(request, fault, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, request: Request, fault: str | None, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        match fault:
            case None | "slow" | "after" | "reset" | "half" | "truncated" | "drip":
                answer = await self._ask(request)
                return await self._spoil(answer, fault, writer)
            case "before":
                await self._pause(_HOLD)
                return False
            case _:
                writer.write(_made_up(fault, request))
                await writer.drain()
                return True

    async def _spoil(self, answer: bytes, fault: str | None, writer: asyncio.StreamWriter) -> bool:
        head, _, body = answer.partition(b"\r\n\r\n")
        cut = head + b"\r\n\r\n" + body[: len(body) // 2]
        match fault:
            case "after":
                await self._pause(_HOLD)
            case "reset":
                writer.write(cut)
                await writer.drain()
                linger = writer.get_extra_info("socket")
                linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "half":
                writer.write(cut)
                await writer.drain()
            case "truncated":
                writer.write(_response(200, body[: len(body) // 2]))
                await writer.drain()
            case "drip":
                for byte in answer:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await self._pause(1)
            case _:
                await self._pause(1.0 if fault == "slow" else self.delay)
                writer.write(_response(int(head.split()[1]), body, _kept(head)))
                await writer.drain()
                return True
        return False

    async def _ask(self, request: Request) -> bytes:
        """The provider's own answer, on a connection of its own."""
        reader, writer = await asyncio.open_connection(*self._target)
        writer.write(request.head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + request.body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    named = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    body = await reader.readexactly(int(named.get("content-length", "0")))
    kept = [line for line in lines if not line.lower().startswith("connection:")]
    return Request(lines[0], "\r\n".join(kept).encode("latin-1"), body)


def _made_up(fault: str, request: Request) -> bytes:
    """What the provider would say; nothing was done."""
    if fault == "garbage":
        return _response(200, HTML, b"Content-Type: text/html\r\n")
    if fault.startswith("viber-"):
        words = {"status": int(fault.removeprefix("viber-")), "status_message": "no"}
        return _response(200, json.dumps(words).encode())
    if fault.startswith("migrated-"):
        return _telegram(400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": int(fault[9:])})
    status = int(fault.split("-")[0])
    if "/bot" in request.line:
        known = {401: "Unauthorized", 403: "Forbidden: bot was blocked by the user", 429: "Too Many Requests"}
        more = {"retry_after": 1} if fault == "429" else None
        return _telegram(status, known[status], more) if status in known else _response(status, HTML)
    if "2010-04-01" in request.line and status < 500:
        code = {401: 20003, 403: 20003, 429: 20429}.get(status, 20001)
        words = {"code": code, "message": "no", "status": status}
        wait = b"Retry-After: 1\r\n" if fault == "429" else b""
        return _response(status, json.dumps(words).encode(), wait)
    return _response(status, HTML, b"Content-Type: text/html\r\n")


def _telegram(status: int, description: str, parameters: dict[str, Any] | None) -> bytes:
    words: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        words["parameters"] = parameters
    return _response(status, json.dumps(words).encode())


def _response(status: int, body: bytes, headers: bytes = b"Content-Type: application/json\r\n") -> bytes:
    return b"HTTP/1.1 %d -\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body)


def _kept(head: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n")[1:] if line.lower().startswith((b"content-type", b"retry"))]
    return b"".join(line + b"\r\n" for line in lines)
