"""The door of the console: sign in, sign out, and the language switch."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import structlog
from aiohttp import web

from console import access
from console.glass import Glass
from console.throttle import Throttle
from console.visit import Visit, bound, safe_place, see_other
from console.words import LANGUAGES
from escalation.people import Accounts

log = structlog.get_logger()
_YEAR = 31_536_000
_DOOR_SECONDS = 3600


@dataclass(slots=True)
class SignIn:
    """Pages and forms for who is not inside yet."""

    glass: Glass
    accounts: Accounts
    throttle: Throttle

    def routes(self) -> list[web.RouteDef]:
        """The door's addresses."""
        glass = self.glass
        return [
            web.get("/console/login", glass.open(self.show)),
            web.post("/console/login", glass.open_form(self.enter)),
            web.post("/console/logout", glass.changes(self.leave)),
            web.post("/console/language", glass.changes(self.speak)),
            web.post("/console/login/language", glass.open_form(self.speak_at_the_door)),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """The sign-in page."""
        if visit.person is not None:
            return see_other("/console/")
        return self._form(visit, 200, "")

    async def enter(self, visit: Visit) -> web.StreamResponse:
        """Takes name and password. Wrong name and wrong password look and last the same."""
        name, password = visit.field("name").lower()[:40], visit.form.get("password", "")
        mark = visit.request.cookies.get(self.glass.guard.device_cookie, "")
        place = self.throttle.place(name, visit.request.remote or "", mark)
        now = self.glass.clock.now()
        pause = self.throttle.wait(place, now)
        if pause:
            return self._form(visit, 429, visit.words.say("login.slow", n=ceil(pause.total_seconds())))
        self.throttle.trying(place, now)
        if not await self.accounts.check(name, password):
            log.warning("console_sign_in_refused")
            return self._form(visit, 403, visit.words.say("login.wrong"))
        self.throttle.passed(place)
        return await self._welcome(visit, name)

    async def leave(self, visit: Visit) -> web.StreamResponse:
        """Ends the session here and in the table."""
        token = visit.request.cookies[self.glass.guard.cookie]
        await self.glass.db.write(lambda tx: access.end(tx, token))
        log.info("console_signed_out", person=visit.somebody.name)
        response = see_other("/console/login")
        self.glass.guard.set_cookie(response, self.glass.guard.cookie, "", 0)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def speak(self, visit: Visit) -> web.StreamResponse:
        """Changes the language of the account."""
        language, person = visit.field("language"), visit.somebody.name
        if language in LANGUAGES:
            await self.glass.db.write(lambda tx: access.speak(tx, person, language))
        return self._in_language(safe_place(visit.field("back")), language)

    async def speak_at_the_door(self, visit: Visit) -> web.StreamResponse:
        """Changes the language of the sign-in page."""
        return self._in_language("/console/login", visit.field("language"))

    def _in_language(self, place: str, language: str) -> web.Response:
        response = see_other(place)
        if language in LANGUAGES:
            self.glass.guard.set_cookie(response, self.glass.guard.language_cookie, language, _YEAR)
        return response

    async def _welcome(self, visit: Visit, name: str) -> web.StreamResponse:
        guard = self.glass.guard
        response = see_other(safe_place(visit.field("next")))
        await self.glass.sign_in(visit, name, response)
        guard.set_cookie(response, guard.device_cookie, self.throttle.mark(name), _YEAR)
        guard.set_cookie(response, guard.door_cookie, "", 0)
        return response

    def _form(self, visit: Visit, status: int, error: str) -> web.StreamResponse:
        """The page with a token that is bound to this browser before it is anybody."""
        door = self.glass.ids.token(24)
        visit.bound_to = bound(door)
        place = visit.form.get("next") or visit.request.query.get("next", "")
        response = visit.page("login.html", status, error=error, next=safe_place(place))
        self.glass.guard.set_cookie(response, self.glass.guard.door_cookie, door, _DOOR_SECONDS)
        return response
