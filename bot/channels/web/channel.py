"""The web chat as a channel: its page, what the browser posts, and the stream of what it shows.

Sending is easy here: the outbox row is the message, and open browsers read it from the database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import Connection

from bot.channels.base import Blocked, Limits, Outgoing
from bot.channels.web.assets import design_base
from bot.channels.web.guard import MOST_TEXT, Refused, check_origin, page_headers, read_json
from bot.channels.web.history import NAME, History, News
from bot.channels.web.identity import Identity, mark_of
from bot.channels.web.page import ChatPage, Town
from bot.channels.web.stream import serve
from bot.channels.web.words import WORDS, language_of
from bot.citizens import Citizens
from bot.door import Door
from bot.incoming import Incoming
from bot.outbox import Outbox
from flows.session import StimulusKind
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.ids import Ids
from store.vault import Vault

log = structlog.get_logger()
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BUTTON = re.compile(r"~[0-9a-z]{1,13}\.[0-9]{1,3}")
_LEFT = "left "  # no browser's token begins like this
OUR_OWN_PAGES = ("'self'",)


class WebChannel:
    """`frame_ancestors`: who may embed the chat, as in a Content-Security-Policy. `town`: whose it is."""

    name = NAME
    limits = Limits(text=20_000, label=80, buttons=12, rate=10_000.0, chat_rate=100.0)

    def __init__(
        self,
        db: Database,
        vault: Vault,
        bell: Bell,
        clock: Clock,
        ids: Ids,
        citizens: Citizens,
        outbox: Outbox,
        door: Door,
        public_url: str,
        frame_ancestors: Sequence[str] = OUR_OWN_PAGES,
        town: Town | None = None,
    ) -> None:
        self._db, self._bell, self._clock, self._ids = db, bell, clock, ids
        self._citizens, self._door = citizens, door
        self._history = History(vault, citizens, outbox)
        self._public_url = public_url
        self._secure = public_url.startswith("https://")
        self._identity = Identity(self._secure)
        self._assets = design_base()
        self._page = ChatPage(self._assets, town or Town())
        self._headers = page_headers(frame_ancestors, self._secure)
        self._streams: set[asyncio.Task[Any]] = set()

    async def answers(self) -> bool:
        """Nobody stands between the outbox and the page."""
        return True

    async def send(self, address: str, message: Outgoing) -> str | None:
        """The row is the message; whoever has the chat open is woken. Raises Blocked after a quick exit."""
        if address.startswith(_LEFT):
            raise Blocked("the chat was left")
        self._bell.ring(f"web:{mark_of(address)}")
        return None

    def routes(self) -> list[web.RouteDef]:
        """The page, its posts, its stream and the design base at /static/."""
        return [
            web.get("/chat", self._to_page),
            web.get("/chat/", self._show),
            web.get("/chat/events", self._events),
            web.post("/chat/open", self._open),
            web.post("/chat/messages", self._say),
            web.post("/chat/taps", self._tap),
            web.post("/chat/place", self._place),
            web.post("/chat/leave", self._leave),
            *self._assets.routes(),
        ]

    async def start(self, *, listens: bool = True) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Ends the open streams, so that the server need not wait for them."""
        for task in list(self._streams):
            task.cancel()

    async def _to_page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect("/chat/")

    async def _show(self, request: web.Request) -> web.Response:
        html = self._page.html(language_of(request), at_once=request.query.get("open") == "now")
        response = web.Response(text=html, content_type="text/html", headers=self._headers)
        if self._identity.of(request) is None:
            self._identity.give(request, response)
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        token = self._identity.of(request)
        if token is None:
            return web.Response(status=204)  # tells EventSource not to come back
        place = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
        after = int(place) if place.isascii() and place.isdigit() and len(place) < 20 else 0

        async def look(after: int, known: frozenset[int]) -> News:
            return await self._db.read(lambda tx: self._history.news(tx, token, after, known))

        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            return await serve(request, look, self._bell, token, after)
        finally:
            self._streams.discard(task)

    async def _open(self, request: web.Request) -> web.Response:
        return await self._take(request, StimulusKind.opened)

    async def _say(self, request: web.Request) -> web.Response:
        return await self._take(request, StimulusKind.said)

    async def _tap(self, request: web.Request) -> web.Response:
        return await self._take(request, StimulusKind.tapped)

    async def _place(self, request: web.Request) -> web.Response:
        return await self._take(request, StimulusKind.located)

    async def _take(self, request: web.Request, kind: StimulusKind) -> web.Response:
        """One post of the browser: kept, then answered."""
        language = language_of(request)
        try:
            check_origin(request, self._public_url)
            data = await read_json(request)
            token = self._identity.of(request)
            response = web.json_response({"ok": True})
            if token is None:
                token = self._identity.give(request, response)
            await self._door.accept(_incoming(kind, data, token, language))
        except Refused as refusal:
            return _sorry(refusal.status, refusal.word, language)
        except StoreUnavailable:
            return _sorry(503, "store_down", language)
        self._bell.ring(f"web:{mark_of(token)}")
        return response

    async def _leave(self, request: web.Request) -> web.Response:
        """Quick exit: the browser forgets, and what it forgot leads to nobody any more."""
        try:
            check_origin(request, self._public_url)
        except Refused as refusal:
            return _sorry(refusal.status, refusal.word, language_of(request))
        token = self._identity.of(request)
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        self._identity.forget(response)
        if token is not None:
            await self._drop(token)
        return response

    async def _drop(self, token: str) -> None:
        try:
            await self._db.write(lambda tx: self._detach(tx, token))
        except StoreUnavailable:
            log.error("exit_not_kept")  # the cookie is gone all the same
        self._bell.ring(f"web:{mark_of(token)}")

    def _detach(self, tx: Connection, token: str) -> None:
        """The case stays with the staff; the address becomes one that no browser has."""
        citizen = self._citizens.find(tx, NAME, token)
        if citizen is None:
            return
        row = self._citizens.latest(tx, citizen)
        self._citizens.move(tx, row.id, NAME, _LEFT + self._ids.token())
        self._citizens.block(tx, row.id, self._clock.now())


def _incoming(kind: StimulusKind, data: dict[str, Any], token: str, language: str) -> Incoming:
    """What the browser posted, in our words. Raises Refused."""
    mark = mark_of(token)
    if kind is StimulusKind.opened:
        return Incoming(NAME, f"{mark}:opened", token, kind, language=language)
    message_id = data.get("id")
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        raise Refused(400, "not_understood")
    key = f"{mark}:{message_id}"
    if kind is StimulusKind.said:
        return Incoming(NAME, key, token, kind, _text(data), message_id=message_id, language=language)
    if kind is StimulusKind.tapped:
        return Incoming(NAME, key, token, kind, button=_button(data), language=language)
    return Incoming(NAME, key, token, kind, place=_where(data), language=language)


def _text(data: dict[str, Any]) -> str:
    text = data.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "not_understood")
    # A half of a surrogate pair is no character; it must not cost the citizen the rest of the message.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if len(whole.encode()) > MOST_TEXT:
        raise Refused(413, "too_long")
    return whole


def _button(data: dict[str, Any]) -> str:
    button = data.get("button")
    if not isinstance(button, str) or not _BUTTON.fullmatch(button):
        raise Refused(400, "not_understood")
    return button


def _where(data: dict[str, Any]) -> tuple[float, float]:
    try:
        latitude, longitude = float(data["latitude"]), float(data["longitude"])
    except (KeyError, TypeError, ValueError):
        raise Refused(400, "not_understood") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Refused(400, "not_understood")
    return latitude, longitude


def _sorry(status: int, word: str, language: str) -> web.Response:
    headers = {"Retry-After": "2"} if status == 503 else {}
    return web.json_response({"ok": False, "say": WORDS[language][word]}, status=status, headers=headers)
