"""What every part of the console needs, in one place, and how a request becomes a Visit.

The order of the checks is fixed here: session, then role, then (for a change) origin and form token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import structlog
from aiohttp import web

from console import access
from console.guard import Guard
from console.visit import Handler, Visit, bound, language_of, see_other, typed
from console.words import Words
from escalation.roster import Roster
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.ids import Ids
from tickets.record import Record

log = structlog.get_logger()
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]
REFRESH = "X-Limani-Refresh"
"""Sent by our own script when it looks for news: that is not the person doing something."""


@dataclass(slots=True)
class Glass:
    """The console's hands and eyes. `auto_login` signs every browser in as this person (the demo);
    `rings` tells whether a phone can be rung at a moment."""

    db: Database
    record: Record
    roster: Roster
    bell: Bell
    clock: Clock
    ids: Ids
    guard: Guard
    auto_login: str | None = None
    rings: Callable[[datetime], bool] | None = None

    def reads(self, handler: Handler, role: str | None = None) -> Route:
        """A page for somebody who is signed in."""
        return self._dressed(handler, role, signed_in=True)

    def changes(self, handler: Handler, role: str | None = None) -> Route:
        """A form of somebody who is signed in; it needs the form token of this very session."""
        return self._dressed(self._checked(handler), role, signed_in=True)

    def open(self, handler: Handler) -> Route:
        """A page for everybody."""
        return self._dressed(handler, None, signed_in=False)

    def open_form(self, handler: Handler) -> Route:
        """A form for everybody, bound to the browser that loaded it."""
        return self._dressed(self._checked(handler), None, signed_in=False)

    def name_of(self, key: str) -> str:
        """How a roster key is called."""
        person = self.roster.people.get(key)
        return person.name if person else key.capitalize()

    async def sign_in(self, visit: Visit, person: str, response: web.StreamResponse) -> None:
        """Gives the browser a session under a fresh token, whatever it had before."""
        token, now = self.ids.token(32), self.clock.now()
        await self.db.write(lambda tx: access.begin(tx, person, token, now))
        self.guard.set_cookie(response, self.guard.cookie, token, int(access.ABSOLUTE / timedelta(seconds=1)))
        log.info("console_signed_in", person=person)

    def _checked(self, handler: Handler) -> Handler:
        async def check(visit: Visit) -> web.StreamResponse:
            visit.form = await typed(visit.request)
            if not self.guard.may_change(visit.request, visit.bound_to, visit.form.get("csrf", "")):
                log.warning("console_change_refused", path=_route(visit.request))
                return visit.sorry(403, "said.stale")
            return await handler(visit)

        return check

    def _dressed(self, handler: Handler, role: str | None, *, signed_in: bool) -> Route:
        async def answer(request: web.Request) -> web.StreamResponse:
            nonce = self.ids.token(16)
            try:
                visit = await self._visit(request, nonce)
                response = await self._admit(visit, handler, role, signed_in)
            except StoreUnavailable:
                response = self._nobody(request, nonce).sorry(503, "said.down")
            if not response.prepared:
                self.guard.dress(response, nonce)
            return response

        return answer

    async def _admit(
        self, visit: Visit, handler: Handler, role: str | None, signed_in: bool
    ) -> web.StreamResponse:
        if signed_in and visit.person is None:
            return await self._at_the_door(visit)
        if role is not None and visit.somebody.role != role:
            log.warning("console_role_refused", person=visit.somebody.name, path=_route(visit.request))
            return visit.sorry(403, "said.forbidden")
        return await handler(visit)

    async def _at_the_door(self, visit: Visit) -> web.StreamResponse:
        """Nobody is signed in: the demo lets its person in, all others meet the sign-in page."""
        request = visit.request
        if "/api/" in request.path or request.path.endswith("/events"):
            return web.json_response({"error": "sign in first"}, status=401)
        if request.method != "GET":
            return see_other("/console/login")
        if self.auto_login is not None:
            response = see_other(request.path)
            await self.sign_in(visit, self.auto_login, response)
            return response
        return see_other(f"/console/login?next={quote(request.path)}")

    async def _visit(self, request: web.Request, nonce: str) -> Visit:
        token = request.cookies.get(self.guard.cookie)
        if not token:
            return self._nobody(request, nonce)
        now = self.clock.now()
        found = await self.db.read(lambda tx: access.find(tx, token, now))
        if found is None:
            return self._nobody(request, nonce)
        person, stale = found
        if stale and REFRESH not in request.headers and not request.path.endswith("/events"):
            await self.db.write(lambda tx: access.seen(tx, token, now))
        words = Words(person.language, self.roster.zone, now)
        return Visit(request, self.guard, words, nonce, person, bound(token), names=self.name_of)

    def _nobody(self, request: web.Request, nonce: str) -> Visit:
        language = language_of(request, self.guard.language_cookie)
        words = Words(language, self.roster.zone, self.clock.now())
        door = bound(request.cookies.get(self.guard.door_cookie))
        return Visit(request, self.guard, words, nonce, None, door, names=self.name_of)


def _route(request: web.Request) -> str:
    """The pattern of the path, without what is in it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "?"
