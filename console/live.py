"""/console/events: one stream of server-sent events for each open page.

Events: `hello` (where the stream stands), `change` (a case), `refresh` (too much was missed). A beat keeps
proxies from closing the line, and at each beat the session is looked at again: who signed out, or was
disabled, sees nothing more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from console import access
from console.glass import Glass
from console.visit import Visit
from console.watch import Change, Watch
from store.bell import wait
from store.clock import monotonic

BEAT = 10.0  # seconds
_RETRY = 1000  # milliseconds until a browser tries again


@dataclass(slots=True)
class Live:
    """The stream of what changes."""

    glass: Glass
    watch: Watch
    beat: float = BEAT
    _streams: set[asyncio.Event] = field(default_factory=set)
    _closing: bool = False

    def routes(self) -> list[web.RouteDef]:
        """The stream's address."""
        return [web.get("/console/events", self.glass.reads(self.stream))]

    def close(self) -> None:
        """Ends every stream."""
        self._closing = True
        for stream in self._streams:
            stream.set()

    async def stream(self, visit: Visit) -> web.StreamResponse:
        """Writes until the browser goes or the session ends."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        self.glass.guard.dress(response, visit.nonce)
        with self.watch.listen() as news, suppress(ConnectionResetError):
            self._streams.add(news)
            try:
                await response.prepare(visit.request)
                await self._write(visit, response, news)
            finally:
                self._streams.discard(news)
        return response

    async def _write(self, visit: Visit, response: web.StreamResponse, news: asyncio.Event) -> None:
        await self.watch.begun()
        mark = visit.request.headers.get("Last-Event-ID") or self.watch.mark
        await response.write(f"retry: {_RETRY}\nevent: hello\nid: {self.watch.mark}\ndata: {{}}\n\n".encode())
        looked = monotonic()
        while not self._closing:
            changes, mark = self.watch.since(mark), self.watch.mark
            if changes is None:
                await response.write(f"event: refresh\nid: {mark}\ndata: {{}}\n\n".encode())
            elif changes:
                await response.write("".join(self._told(changes)).encode())
            await wait(news, self.beat)
            if monotonic() - looked >= self.beat:
                if not await self._welcome(visit):
                    return
                looked = monotonic()
                await response.write(b": beat\n\n")

    async def _welcome(self, visit: Visit) -> bool:
        """Whether the session still lives."""
        token, now = visit.request.cookies.get(self.glass.guard.cookie, ""), self.glass.clock.now()
        return await self.glass.db.read(lambda tx: access.find(tx, token, now)) is not None

    def _told(self, changes: Iterable[Change]) -> Iterable[str]:
        for change in changes:
            data = json.dumps({"ref": change.ref, "what": change.what, "red": change.red})
            yield f"event: change\nid: {self.watch.era}-{change.number}\ndata: {data}\n\n"
