"""The demo page: phones on a desk, the console beside them, and the rail that says what just happened.

It only shows and works the stand-ins; between them and the product there is nothing but HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.channels.web.assets import Assets, design_base
from bot.channels.web.guard import Refused, check_origin, read_json
from bot.channels.web.words import language_of
from limani.demo.phones import NoSuchAct, Phones
from limani.demo.rail import Rail
from limani.demo.words import WORDS
from sandbox.record import Record
from store.bell import Bell
from store.database import Database, StoreUnavailable

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_LOOK_EVERY = 0.5  # seconds between two looks when nothing rings
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
}
Act = Callable[[web.Request, dict[str, Any]], Awaitable[None]]


class DemoPage:
    """`/` and what stands under /demo/."""

    def __init__(
        self, db: Database, bell: Bell, record: Record, phones: Phones, rail: Rail, public_url: str
    ) -> None:
        self._db, self._bell, self._record = db, bell, record
        self._phones, self._rail, self._public_url = phones, rail, public_url
        self._base, self._assets = design_base(), Assets(_HERE / "assets", "/demo/assets/")
        self._streams: set[asyncio.Task[Any]] = set()

    @cached_property
    def _pages(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not needed to start

        folder = FileSystemLoader(_HERE / "templates")
        return Environment(loader=folder, autoescape=True, undefined=StrictUndefined)

    def routes(self) -> list[web.RouteDef]:
        """The page, its assets, its stream and the acts on the phones."""
        return [
            web.get("/", self._show),
            web.get("/demo/away", self._away),
            web.get("/demo/events", self._events),
            web.post("/demo/citizen/{channel}", self._doing(self._citizen)),
            web.post("/demo/oncall/{key}", self._doing(self._responder)),
            web.post("/demo/fresh", self._doing(self._fresh)),
            *self._assets.routes(),
        ]

    def stop(self) -> None:
        """Ends the open streams."""
        for task in list(self._streams):
            task.cancel()

    async def _show(self, request: web.Request) -> web.Response:
        return self._page("demo.html", request)

    async def _away(self, request: web.Request) -> web.Response:
        return self._page("away.html", request)

    def _page(self, name: str, request: web.Request) -> web.Response:
        language = language_of(request)
        words = WORDS[language]
        html = self._pages.get_template(name).render(
            language=language,
            other="en" if language == "el" else "el",
            words=words,
            said=json.dumps(words, ensure_ascii=False),
            base=self._base.url,
            url=self._assets.url,
            people=self._phones.people.values(),
        )
        return web.Response(text=html, content_type="text/html", headers=_HEADERS)

    def _doing(self, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                check_origin(request, self._public_url)
                await act(request, await read_json(request))
            except Refused as refusal:
                return web.json_response({"ok": False}, status=refusal.status)
            except NoSuchAct:
                return web.json_response({"ok": False}, status=409)
            return web.json_response({"ok": True})

        return handle

    async def _citizen(self, request: web.Request, data: dict[str, Any]) -> None:
        channel = request.match_info["channel"]
        await self._phones.citizen_does(channel, str(data.get("act")), str(data.get("words", "")))

    async def _responder(self, request: web.Request, data: dict[str, Any]) -> None:
        key = request.match_info["key"]
        self._phones.responder_does(key, str(data.get("act")), str(data.get("words", "")))

    async def _fresh(self, request: web.Request, data: dict[str, Any]) -> None:
        self._phones.someone_else("en" if data.get("language") == "en" else "el")
        self._record.touch()
        self._bell.ring("console")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            with suppress(ConnectionResetError, asyncio.CancelledError):
                await self._stream(response)
        finally:
            self._streams.discard(task)
        return response

    async def _stream(self, response: web.StreamResponse) -> None:
        """Everything that a page has not got yet, again and again."""
        sent: set[str] = set()
        shown = ""
        with (
            self._record.listening() as feed,
            self._bell.listen("inbox", "outbox", "console", "pager") as ring,
        ):
            while True:
                await self._look()
                fresh = [bead for name, bead in self._rail.beads.items() if name not in sent]
                sent.update(bead.name for bead in fresh)
                for bead in sorted(fresh, key=lambda bead: bead.at):
                    await _write(response, "bead", json.dumps(bead.as_json(), ensure_ascii=False))
                state = json.dumps(self._phones.snapshot(), ensure_ascii=False)
                await _write(response, "phones" if state != shown else "", state)
                shown = state
                await _until_something(feed, ring)

    async def _look(self) -> None:
        self._rail.hear(self._record.events)
        with suppress(StoreUnavailable):
            await self._db.read(self._rail.look)


async def _write(response: web.StreamResponse, event: str, data: str) -> None:
    """One event; without a name a comment, which finds out whether the page is still there."""
    text = f"event: {event}\ndata: {data}\n\n" if event else ": here\n\n"
    await response.write(text.encode())


async def _until_something(feed: asyncio.Queue[Any], ring: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(feed.get()), asyncio.ensure_future(ring.wait())]
    try:
        await asyncio.wait(waiting, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    ring.clear()
    while not feed.empty():
        feed.get_nowait()
