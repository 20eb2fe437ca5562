"""What the three stand-ins share: one HTTP door with record and faults, background work, and callbacks out.

A provider's own file says what a request means (`handle`) and how its rate limit looks (`too_many`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.asked import Asked, read
from sandbox.faults import Fault, Faults
from sandbox.record import Event, Record
from sandbox.server import Server


@dataclass(frozen=True, slots=True)
class Answer:
    """What the product answered to a callback; status 0 means that no answer came."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Any 2xx."""
        return 200 <= self.status < 300


class StandIn(ABC):
    """`async with SomeStandIn(...) as provider`: listens until the block ends; state outlives stop and start.

    `routes` maps a prefix of public addresses to where the product really listens: callbacks are signed for
    the public address and sent to the other.
    """

    provider = ""

    def __init__(
        self, *, port: int = 0, record: Record | None = None, routes: Mapping[str, str] | None = None
    ) -> None:
        self.record = record or Record()
        self.faults = Faults()
        self.routes = dict(routes or {})
        self._port = port
        self._server: Server | None = None
        self._client: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    @abstractmethod
    async def handle(self, asked: Asked) -> web.Response:
        """The provider's own answer."""

    @abstractmethod
    def too_many(self, retry_after: float) -> web.Response:
        """How this provider says that there were too many requests."""

    def public_path(self, path: str) -> str:
        """The path as it may be recorded; a provider with a secret in its path takes it out."""
        return path

    def make_app(self) -> web.Application:
        """A fresh aiohttp application over this state."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{tail:.*}", self._door)
        return app

    @property
    def url(self) -> str:
        """Where the product must send its requests."""
        assert self._server is not None, "start the stand-in first"
        return self._server.url

    async def start(self) -> Self:
        """Listen; after a stop the same port is taken again."""
        self._closing = asyncio.Event()
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        self._server = await Server(self.make_app(), self._port).start()
        self._port = self._server.port
        return self

    async def stop(self) -> None:
        """End background work, cut connections, free the port; what happened so far stays known."""
        self._closing.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.stop()
        if self._client is not None:
            await self._client.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this beside; cancelled on stop. A failure in it goes to the event loop's handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "background work failed", "exception": error})

    def happened(self, kind: str, phone: str, **details: Any) -> Event:
        """Note an event of this provider."""
        return self.record.happened(self.provider, kind, phone, **details)

    async def send(
        self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST", timeout: float = 15
    ) -> Answer:
        """One callback to the product; never raises for what the product does or does not do."""
        assert self._client is not None, "start the stand-in first"
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._client.request(
                method, self._reach(url), data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return Answer(response.status, await response.read(), dict(response.headers))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return Answer(0)

    def _reach(self, url: str) -> URL:
        for public, real in self.routes.items():
            if url.startswith(public):
                return URL(real + url.removeprefix(public), encoded=True)
        return URL(url, encoded=True)

    async def _door(self, request: web.Request) -> web.StreamResponse:
        asked = await read(request)
        path = self.public_path(request.path)
        note = self.record.note(self.provider, request.method, path, asked.params, dict(request.headers))
        fault = self.faults.take(note)
        if fault is None or fault.kind == "delay":
            await asyncio.sleep(fault.seconds if fault else 0)
            return await self._reply(request, await self.handle(asked), asked.afterwards)
        if fault.after_commit:
            await self.handle(asked)
            _run(asked.afterwards)
        return await self._spoil(fault, request)

    async def _reply(
        self, request: web.Request, response: web.Response, afterwards: list[Callable[[], None]]
    ) -> web.Response:
        """The answer leaves before its consequences begin: no phone rings before its SID was told."""
        if afterwards:
            await response.prepare(request)
            await response.write_eof()
            _run(afterwards)
        return response

    async def _spoil(self, fault: Fault, request: web.Request) -> web.StreamResponse:
        if fault.kind == "rate_limited":
            return self.too_many(fault.seconds)
        if fault.kind in ("status", "garbage"):
            return web.Response(status=fault.status_code, text=fault.body, content_type="text/html")
        if fault.kind == "timeout":
            await self._closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


def _run(works: list[Callable[[], None]]) -> None:
    for work in works:
        work()
