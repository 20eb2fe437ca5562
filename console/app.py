"""The console's rooms put together: `Console(...).routes()` is all that the server needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web

from console.actions import Actions
from console.case_page import CasePage
from console.glass import Glass
from console.guard import Guard
from console.labels import Labels
from console.live import BEAT, Live
from console.log_page import LogPage
from console.queue_page import QueuePage
from console.render import STATIC, static_file
from console.sign_in import SignIn
from console.throttle import Throttle
from console.visit import see_other
from console.watch import Watch
from escalation.desk import Desk
from escalation.people import Accounts
from escalation.roster import Roster
from flows.model import Library
from store.bell import Bell
from store.clock import Clock
from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tickets.record import Record

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_YEAR = "public, max-age=31536000, immutable"


class Console:
    """The glass. `auto_login` signs every browser in as that person: only the demo sets it, and only a
    server on this very machine may have it; ValueError otherwise. `rings` says whether a phone can be rung
    at a moment: without it the shift page does not warn. `beat` = seconds between two signs of life
    of a stream. Append `close` to the application's on_shutdown."""

    def __init__(
        self,
        *,
        db: Database,
        record: Record,
        desk: Desk,
        accounts: Accounts,
        roster: Roster,
        bell: Bell,
        clock: Clock,
        ids: Ids,
        vault: Vault,
        public_url: str,
        library: Library | None = None,
        auto_login: str | None = None,
        rings: Callable[[datetime], bool] | None = None,
        beat: float = BEAT,
    ) -> None:
        if auto_login is not None and urlsplit(public_url).hostname not in _LOOPBACK:
            raise ValueError("signing everybody in is for a demo on this machine alone")
        glass = Glass(db, record, roster, bell, clock, ids, Guard(public_url, vault), auto_login, rings)
        case = CasePage(glass, Labels(library))
        self._live = Live(glass, Watch(db, bell, clock, ids), beat)
        self._parts = (
            SignIn(glass, accounts, Throttle(vault)),
            QueuePage(glass),
            LogPage(glass),
            case,
            Actions(glass, case, desk),
            self._live,
        )
        self._unknown = glass.reads(lambda visit: _answer(visit.sorry(404, "said.gone")))

    async def close(self, _app: web.Application) -> None:
        """Ends the open streams, so that the server stops at once."""
        self._live.close()

    def routes(self) -> list[web.RouteDef]:
        """Every address under /console."""
        parts = [route for part in self._parts for route in part.routes()]
        return [
            web.get("/console", _to_the_queue),
            web.get("/console/static/{name}", _static),
            *parts,
            web.get("/console/{rest:.*}", self._unknown),
        ]


async def _answer(response: web.StreamResponse) -> web.StreamResponse:
    return response


async def _to_the_queue(request: web.Request) -> web.StreamResponse:
    return see_other("/console/")


async def _static(request: web.Request) -> web.StreamResponse:
    """Our stylesheet and script; their address changes with their content."""
    name = request.match_info["name"]
    if name not in STATIC:
        return web.Response(status=404)
    body, mark = static_file(name)
    keep = _YEAR if request.query.get("v") == mark else "no-cache"
    return web.Response(
        body=body,
        content_type=STATIC[name],
        charset="utf-8",
        headers={"Cache-Control": keep, "X-Content-Type-Options": "nosniff"},
    )
