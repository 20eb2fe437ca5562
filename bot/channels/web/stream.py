"""The live side of the chat: server-sent events, fed from the database, woken by the bell.

Every event carries the place in the conversation that the browser has reached; after a lost connection it
asks on from there. What is sent twice is shown once: the browser knows its rows by id.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from bot.channels.web.history import OVERLAP, News
from bot.channels.web.identity import mark_of
from store import bell as bells
from store.bell import Bell
from store.clock import monotonic
from store.database import StoreUnavailable

POLL = 1.0  # seconds between two looks without a ring
HEARTBEAT = 15.0  # seconds; proxies cut a silent connection after 30 to 60
Look = Callable[[int, frozenset[int]], Awaitable[News]]


class Stream:
    """One open connection of one browser. `look` reads what is new after a row id."""

    def __init__(self, response: web.StreamResponse, look: Look, after: int) -> None:
        self._response = response
        self._look = look
        self._place = after
        self._known: set[int] = set()
        self._citizen: int | None = None
        self._working = False
        self._spoke = monotonic()

    async def run(self, request: web.Request, bell: Bell, token: str) -> None:
        """Until the browser goes away, the server stops or the chat is left."""
        await self._write("retry: 1000\n\n")
        while _listens(request):
            citizen = self._citizen
            topics = [f"web:{mark_of(token)}"] + ([f"web:{citizen}"] if citizen else [])
            with bell.listen(*topics) as ring:
                while _listens(request) and await self._tell() and self._citizen == citizen:
                    await bells.wait(ring, POLL)
            if citizen is not None and self._citizen is None:
                await self._write("event: gone\ndata: {}\n\n")
                return

    async def _tell(self) -> bool:
        """Sends what is new. True, so that it reads as a condition."""
        try:
            news = await self._look(self._place, frozenset(self._known))
        except StoreUnavailable:
            return True  # the next look finds what this one has missed
        self._citizen = news.citizen
        for item in news.items:
            self._known.add(item.id)
            self._place = max(self._place, item.id)
            await self._event("item", item.as_json())
        self._known = {known for known in self._known if known > self._place - OVERLAP}
        if news.working != self._working:
            self._working = news.working
            await self._event("typing", {"on": news.working})
        if monotonic() - self._spoke > HEARTBEAT:
            await self._write(": here\n\n")
        return True

    async def _event(self, name: str, data: object) -> None:
        text = json.dumps(data, ensure_ascii=False)  # json leaves no line break in a text
        await self._write(f"id: {self._place}\nevent: {name}\ndata: {text}\n\n")

    async def _write(self, text: str) -> None:
        self._spoke = monotonic()
        await self._response.write(text.encode())


def _listens(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def serve(request: web.Request, look: Look, bell: Bell, token: str, after: int) -> web.StreamResponse:
    """The answer to GET /chat/events."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Content-Type-Options": "nosniff",
        }
    )
    await response.prepare(request)
    # The browser went away, or the server stops: the next connection catches up.
    with suppress(ConnectionResetError, asyncio.CancelledError):
        await Stream(response, look, after).run(request, bell, token)
    return response
