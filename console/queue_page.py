"""The queue: who waits for a person, the most urgent first and largest; and who is on call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.glass import Glass
from console.shift import Shifts, shifts
from console.views import lines
from console.visit import Visit
from tickets.search import counts, queue, red_alone


@dataclass(slots=True)
class QueuePage:
    """Queue and shift: the pages that show what is going on."""

    glass: Glass

    def routes(self) -> list[web.RouteDef]:
        """The addresses of queue and shift."""
        return [
            web.get("/console/", self.glass.reads(self.show)),
            web.get("/console/shift", self.glass.reads(self.show_shift)),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """The first page after sign-in."""
        person = visit.somebody.name
        found = await self.glass.db.read(lambda tx: self._read(tx, person))
        return visit.page("queue.html", here="queue", **self._on_call(), **found)

    async def show_shift(self, visit: Visit) -> web.StreamResponse:
        """Who is on call now and next."""
        alone = await self.glass.db.read(red_alone)
        return visit.page("shift.html", here="shift", alone=alone, **self._on_call())

    def _read(self, tx: Connection, person: str) -> dict[str, Any]:
        return {**queue_lines(tx, self.glass, person), "counts": counts(tx)}

    def _on_call(self) -> dict[str, Any]:
        now = self.glass.clock.now()
        on_shift: Shifts = shifts(self.glass.roster, now)
        rings = self.glass.rings is None or self.glass.rings(now)
        return {"duty": on_shift, "silent": bool(on_shift.now) and not rings}


def queue_lines(tx: Connection, glass: Glass, person: str) -> dict[str, Any]:
    """The lists that the queue shows, here and beside a case."""
    found = queue(tx, person)
    return {
        "waiting": lines(tx, glass.record, found.waiting),
        "mine": lines(tx, glass.record, found.mine),
        "others": lines(tx, glass.record, found.others),
        "last": found.last,
    }
