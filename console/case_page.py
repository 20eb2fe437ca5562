"""One case: the conversation like a chat, its story beside it, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.canned import canned
from console.glass import Glass
from console.labels import Labels
from console.queue_page import queue_lines
from console.views import CaseView, case_view
from console.visit import Visit
from escalation.desk import MOST_TEXT
from tickets.search import red_alone
from tickets.view import show_ticket

REF = "{ref:[A-Za-z0-9-]{1,16}}"  # of a path: anything else is no reference and reaches no query
TO_THE_QUEUE = "queue"  # no roster key: "queue" in place of a colleague means nobody


@dataclass(slots=True)
class CasePage:
    """Shows cases; what is done to them is in actions.py. `labels` says answers in words."""

    glass: Glass
    labels: Labels

    def routes(self) -> list[web.RouteDef]:
        """The addresses of a case."""
        return [
            web.get(f"/console/tickets/{REF}", self.glass.reads(self.show)),
            web.get(f"/console/api/tickets/{REF}", self.glass.reads(self.show_json)),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """The page of a case."""
        return await self.page(visit)

    async def page(
        self, visit: Visit, status: int = 200, error: str = "", draft: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """The page of a case; after a refused action with what was typed still in its fields."""
        ref, person = visit.request.match_info["ref"], visit.somebody.name
        found = await self.glass.db.read(lambda tx: self._read(tx, ref, person))
        if found is None:
            return visit.sorry(404, "case.gone")
        view: CaseView = found["view"]
        ready = canned(view.row.language)
        return visit.page(
            "case.html",
            status,
            here="queue",
            error=error,
            draft=draft or _picked(ready, visit.request.query.get("ready", "")),
            most=MOST_TEXT,
            once=self.glass.ids.token(9),
            to_the_queue=TO_THE_QUEUE,
            ready=ready,
            colleagues=[p for p in self.glass.roster.people.values() if p.key != view.row.assigned_to],
            answers=self.labels.of(view.row.topic, view.answers, visit.words.language),
            **found,
        )

    async def show_json(self, visit: Visit) -> web.StreamResponse:
        """The case in the form of exports."""
        ref = visit.request.match_info["ref"]
        found = await self.glass.db.read(lambda tx: show_ticket(tx, self.glass.record, ref))
        if found is None:
            return web.json_response({"error": "there is no such ticket"}, status=404)
        return web.json_response(found)

    def _read(self, tx: Connection, ref: str, person: str) -> dict[str, Any] | None:
        row = self.glass.record.by_ref(tx, ref)
        if row is None:
            return None
        view = case_view(tx, self.glass.record, row)
        alone = red_alone(tx, besides=row.id)
        return {"view": view, "alone": alone, **queue_lines(tx, self.glass, person)}


def _picked(ready: tuple[str, ...], number: str) -> Mapping[str, str]:
    """A ready answer in the reply field, for browsers without our script."""
    known = number.isdecimal() and len(number) < 3 and int(number) < len(ready)
    return {"reply": ready[int(number)]} if known else {}
