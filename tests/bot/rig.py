"""A door that only remembers, and a server around a channel's routes: real HTTP, no store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web
from hypothesis import strategies as st

from bot.incoming import Arrival, Incoming
from sandbox.server import Server
from store.database import StoreUnavailable

Wanted = TypeVar("Wanted")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(
        ["private", "/start", "text", "picture", "contact", "~abc.1", "\ud83d", "+306900000001"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class RecordingDoor:
    """Keeps arrivals in a list. `shut`: as if neither store nor spool took anything."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.shut = False
        self._changed = asyncio.Condition()

    async def accept(self, arrival: Arrival) -> bool:
        if self.shut:
            raise StoreUnavailable("shut")
        async with self._changed:
            self.arrivals.append(arrival)
            self._changed.notify_all()
        return True

    async def until(self, enough: Callable[[list[Arrival]], bool], within: float = 5.0) -> list[Arrival]:
        """What has arrived, once it is enough."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: enough(self.arrivals))
        return self.arrivals

    def one(self, kind: type[Wanted]) -> Wanted:
        """The only arrival, which has this type; forgotten afterwards."""
        (arrival,) = self.arrivals
        assert isinstance(arrival, kind)
        self.arrivals.clear()
        return arrival

    def incoming(self) -> Incoming:
        """The only arrival: a citizen did something."""
        return self.one(Incoming)


@asynccontextmanager
async def served(routes: list[web.RouteDef], server: Server | None = None) -> AsyncIterator[str]:
    """The address of a server with these routes."""
    app = web.Application()
    app.add_routes(routes)
    running = Server(app) if server is None else server
    await running.start()
    try:
        yield running.url
    finally:
        await running.stop()
