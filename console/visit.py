"""One request by somebody: who it is, in which language, and whether it may change anything.

Every handler of the console gets a Visit and nothing of the cookie, the headers or the session table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from console.access import Person, hash_token
from console.guard import Guard
from console.render import render
from console.told import tell
from console.views import Bubble
from console.words import LANGUAGES, Words

_PLACE = re.compile(r"/console/(tickets(/[A-Za-z0-9-]{1,16})?|shift)?")
Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Visit:
    """A request. `person` is None only on pages that need no sign-in; `bound_to` is what its forms are
    good for; `nonce` marks the page's own scripts."""

    request: web.Request
    guard: Guard
    words: Words
    nonce: str
    person: Person | None
    bound_to: str
    form: Mapping[str, str] = field(default_factory=dict)
    names: Callable[[str], str] = str.capitalize

    @property
    def somebody(self) -> Person:
        """Who it is, on pages that need a sign-in."""
        assert self.person is not None
        return self.person

    def field(self, name: str) -> str:
        """What was typed into a field, line ends made ours, without blanks around."""
        return self.form.get(name, "").replace("\r\n", "\n").strip()

    def page(self, template: str, status: int = 200, **context: Any) -> web.Response:
        """A page of ours."""
        words = self.words
        text = render(
            template,
            t=words.say,
            words=words,
            who=self._who,
            event=self._event,
            me=self.person,
            path=self.request.path,
            nonce=self.nonce,
            csrf=self.guard.form_token(self.bound_to),
            **context,
        )
        return web.Response(text=text, status=status, content_type="text/html")

    def sorry(self, status: int, key: str) -> web.Response:
        """A page that says what is wrong and where to go on."""
        return self.page("sorry.html", status, message=self.words.say(key))

    def _who(self, by: str | None) -> str:
        """How somebody is called on the page."""
        if by in ("citizen", "bot", "system"):
            return self.words.say(f"case.{by}")
        if not by:
            return self.words.say("log.nobody")
        return self.names(by)

    def _event(self, bubble: Bubble) -> str:
        """A line of the log as a sentence, with whoever did it in front."""
        told = tell(self.words, self.names, bubble.text)
        personal = bubble.kind == "status" and bubble.by != "system"
        return f"{self._who(bubble.by)}: {told}" if personal else told


def see_other(place: str) -> web.Response:
    """Sends the browser on after a change, so that a reload repeats nothing."""
    return web.Response(status=303, headers={"Location": place})


def safe_place(place: str) -> str:
    """Where to go after sign-in: a page of ours, whatever the address said."""
    return place if _PLACE.fullmatch(place) else "/console/"


def language_of(request: web.Request, cookie: str) -> str:
    """The language of somebody who is not signed in: as chosen, else the browser's, else Greek."""
    chosen = request.cookies.get(cookie, "")
    if chosen in LANGUAGES:
        return chosen
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "el"


async def typed(request: web.Request) -> dict[str, str]:
    """The fields of a form; files are left out."""
    form = await request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def bound(token: str | None) -> str:
    """What forms of a session (or of a not yet signed-in browser) are bound to."""
    return hash_token(token) if token else ""
