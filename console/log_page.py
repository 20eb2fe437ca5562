"""The log: every case, narrowed by filters that stand in the address and hold no citizen's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from console.glass import Glass
from console.views import lines
from console.visit import Visit
from store.ids import REF_ALPHABET
from tickets.search import Filters, Page, counts, red_alone, search, topics

FIELDS = ("status", "risk", "topic", "channel", "assigned", "ref", "since", "until", "reviewed")


_YEARS = range(2000, 2200)  # outside of them calendars run over


@dataclass(slots=True)
class LogPage:
    """The list of all cases."""

    glass: Glass

    def routes(self) -> list[web.RouteDef]:
        """The log's address."""
        return [web.get("/console/tickets", self.glass.reads(self.show))]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """One page of the log."""
        asked = {name: _asked(visit.request.query.get(name, "")) for name in FIELDS}
        filters = read_filters(asked, self.glass.roster.zone)
        page = Page(_number(visit.request.query.get("page", "")))
        found = await self.glass.db.read(lambda tx: self._read(tx, filters, page))
        pages = max(1, ceil(found["total"] / page.size))
        return visit.page(
            "log.html",
            asked=asked,
            filtered=any(asked.values()),
            number=page.number,
            pages=pages,
            staff=[(person.key, person.name) for person in self.glass.roster.people.values()],
            found_topics=[(topic, visit.words.name("topic", topic)) for topic in found.pop("topics")],
            here="log",
            newer=_address(asked, page.number - 1) if page.number > 1 else None,
            older=_address(asked, page.number + 1) if page.number < pages else None,
            **found,
        )

    def _read(self, tx: Connection, filters: Filters, page: Page) -> dict[str, Any]:
        rows, total = search(tx, filters, page)
        found = lines(tx, self.glass.record, rows)
        return {
            "lines": found,
            "total": total,
            "counts": counts(tx),
            "topics": topics(tx),
            "alone": red_alone(tx),
        }


def read_filters(asked: Mapping[str, str], zone: ZoneInfo) -> Filters:
    """Filters from what was typed; what makes no sense is as if it had not been typed."""
    until = _midnight(asked["until"], zone)
    return Filters(
        **{name: asked[name] for name in ("status", "risk", "topic", "channel", "assigned")},
        ref="".join(c for c in asked["ref"].upper() if c in REF_ALPHABET or c.isalpha() or c == "-"),
        since=_midnight(asked["since"], zone),
        until=until + timedelta(days=1) if until else None,
        reviewed={"yes": True, "no": False}.get(asked["reviewed"]),
    )


def _asked(text: str) -> str:
    """What was asked for; PostgreSQL takes no NUL and no half of a character."""
    return text.strip()[:40] if text.isprintable() else ""


def _midnight(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time(), zone) if day.year in _YEARS else None


def _number(text: str) -> int:
    good = text.isascii() and text.isdigit() and len(text) < 6
    return max(1, int(text)) if good else 1


def _address(asked: Mapping[str, str], number: int) -> str:
    kept = {name: value for name, value in asked.items() if value}
    return "/console/tickets?" + urlencode({**kept, "page": number})
