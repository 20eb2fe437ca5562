"""The page behind a one-tap link: one button that takes the case. Looking at it takes nothing.

Works without script; broken, foreign and expired links get a kind page and a 4xx.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiohttp import web
from sqlalchemy import Connection, Row, Select, select

from escalation.acknowledge import OWNED, Acknowledgements, Outcome
from escalation.duty import Duty
from escalation.links import Links
from store.bell import Bell
from store.clock import Clock
from store.database import Database
from store.schema import attempts, pages, tickets
from tickets.states import PageState

if TYPE_CHECKING:
    from jinja2 import Template

_WORDS = {
    "el": {
        "title": "Λιμάνι",
        "offer": "Σας χρειάζονται τώρα",
        "offer_more": "Πατήστε το κουμπί μόνο αν μπορείτε να γράψετε αμέσως στον άνθρωπο που περιμένει.",
        "button": "Αναλαμβάνω την υπόθεση",
        "won": "Η υπόθεση είναι δική σας",
        "won_more": "Ανοίξτε τώρα την κονσόλα και γράψτε στον άνθρωπο που περιμένει.",
        "yours": "Την έχετε ήδη αναλάβει",
        "yours_more": "Την έχει: {who}. Ανοίξτε την κονσόλα και γράψτε στον άνθρωπο που περιμένει.",
        "taken": "Ευχαριστούμε",
        "taken_more": "Την υπόθεση την έχει ήδη: {who}. Δεν χρειάζεται να κάνετε κάτι.",
        "over": "Ευχαριστούμε",
        "over_more": "Η υπόθεση δεν χρειάζεται πια κάποιον. Δεν χρειάζεται να κάνετε κάτι.",
        "broken": "Ο σύνδεσμος δεν ισχύει",
        "broken_more": "Ίσως έληξε ή δεν αντιγράφηκε ολόκληρος. Θα βρείτε τις υποθέσεις στην κονσόλα.",
        "console": "Άνοιγμα κονσόλας",
        "case": "Υπόθεση",
    },
    "en": {
        "title": "Limani",
        "offer": "You are needed now",
        "offer_more": "Press the button only if you can write to the waiting person right away.",
        "button": "I take this case",
        "won": "The case is yours",
        "won_more": "Open the console now and write to the person who is waiting.",
        "yours": "You have taken it already",
        "yours_more": "It is with {who}. Open the console and write to the person who is waiting.",
        "taken": "Thank you",
        "taken_more": "The case is already with {who}. There is nothing you need to do.",
        "over": "Thank you",
        "over_more": "The case does not need anybody any more. There is nothing you need to do.",
        "broken": "This link does not work",
        "broken_more": "It may have expired, or not been copied whole. Waiting cases are in the console.",
        "console": "Open the console",
        "case": "Case",
    },
}
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:32px 16px}"
    "h1{font-size:1.5rem;line-height:1.25;margin:24px 0 8px}"
    "p{margin:8px 0 16px}.mark{font-weight:600;color:#003375}.ref{font-variant-numeric:tabular-nums}"
    "button,.go{font:inherit;font-weight:600;display:block;width:100%;min-height:56px;padding:12px 16px;"
    "border:0;border-radius:4px;background:#003375;color:#fff;text-align:center;text-decoration:none;"
    "box-sizing:border-box;cursor:pointer}"
    "button:focus-visible,.go:focus-visible{outline:4px solid #ffbf47;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#101418;color:#e8eaed}.mark{color:#9cc2ff}"
    "button,.go{background:#9cc2ff;color:#0b1a33}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


class LinkPages:
    """GET shows, POST takes."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        links: Links,
        acknowledged: Acknowledgements,
        duty: Duty,
    ) -> None:
        self._db, self._bell, self._clock = db, bell, clock
        self._links = links
        self._acknowledged = acknowledged
        self._duty = duty

    @cached_property
    def _template(self) -> Template:
        from jinja2 import Environment, PackageLoader  # not needed to start

        return Environment(loader=PackageLoader("escalation"), autoescape=True).get_template("link.html")

    def routes(self) -> list[web.RouteDef]:
        """The address that a text message carries."""
        return [web.get("/a/{token}", self._show), web.post("/a/{token}", self._take)]

    async def _show(self, request: web.Request) -> web.Response:
        attempt = self._links.read(request.match_info["token"], self._clock.now())
        found = None if attempt is None else await self._db.read(lambda tx: _attempt(tx, attempt))
        if found is None:
            return self._broken(request)
        language = self._duty.language(found.person)
        if found.state in OWNED:
            mine = found.acknowledged_by == found.person
            owned = Outcome.yours if mine else Outcome.taken
            return self._page(owned, language, found.ref, found.acknowledged_by)
        word = "over" if found.state == PageState.cancelled else "offer"
        return self._page(word, language, found.ref)

    async def _take(self, request: web.Request) -> web.Response:
        now = self._clock.now()
        attempt = self._links.read(request.match_info["token"], now)
        found = None if attempt is None else await self._db.read(lambda tx: _attempt(tx, attempt))
        if found is None:
            return self._broken(request)
        answer = await self._db.write(
            lambda tx: self._acknowledged.acknowledge(tx, found.page_id, found.person, "link", now, attempt)
        )
        self._bell.ring("inbox", "pager", "console")
        return self._page(answer.outcome, self._duty.language(found.person), answer.ref, answer.who)

    def _broken(self, request: web.Request) -> web.Response:
        wanted = request.headers.get("Accept-Language", "")
        return self._page("broken", "en" if wanted.lower().startswith("en") else "el", status=404)

    def _page(
        self, word: str, language: str, ref: str = "", who: str | None = None, status: int = 200
    ) -> web.Response:
        words = _WORDS[language]
        more = words[f"{word}_more"].format(who=self._duty.name(who or ""))
        text = self._template.render(
            words=words, word=word, heading=words[word], more=more, ref=ref, language=language, style=_STYLE
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def _attempt(tx: Connection, attempt: int | None) -> Row[Any] | None:
    query: Select[Any] = (
        select(attempts.c.page_id, attempts.c.person, pages.c.state, pages.c.acknowledged_by, tickets.c.ref)
        .join(pages, attempts.c.page_id == pages.c.id)
        .join(tickets, pages.c.ticket_id == tickets.c.id)
        .where(attempts.c.id == attempt)
    )
    return tx.execute(query).first()
