"""What a step may know of the world: facts of the profile, who is on call, this citizen's tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, select

from config.profile import Profile
from flows.session import Context, Fact, OpenTicket
from store.ids import Ids
from store.schema import marks, tickets

_REF_LETTERS = 4
_SHOWN = 5  # a citizen is told of the newest few tickets, not of years


class World:
    """Builds a Context. `on_call` tells whether somebody can be rung at a moment (the escalation room
    knows; the harbour master hands the function in)."""

    def __init__(self, profile: Profile, ids: Ids, on_call: Callable[[datetime], bool]) -> None:
        self._profile = profile
        self._ids = ids
        self._on_call = on_call
        self._facts: dict[tuple[date, str], Mapping[str, Fact]] = {}

    def context(self, tx: Connection, citizen: int, language: str, now: datetime) -> Context:
        """The world of one citizen at one moment."""
        return Context(
            now=now,
            ref=self._free_ref(tx),
            facts=self._facts_at(now, language),
            on_call=self._on_call(now),
            office_open=self._profile.office_open(now),
            start_above=self._profile.town.thresholds.start,
            switch_above=self._profile.town.thresholds.switch,
            weather=_weather(tx),
            tickets=_tickets(tx, citizen),
        )

    def _free_ref(self, tx: Connection) -> str:
        """A reference that no ticket has. The more tickets there are, the longer new ones become."""
        length = _REF_LETTERS
        while True:
            ref = self._ids.ref(self._profile.town.ref_prefix, length)
            if tx.execute(select(tickets.c.id).where(tickets.c.ref == ref)).first() is None:
                return ref
            length += 1

    def _facts_at(self, now: datetime, language: str) -> Mapping[str, Fact]:
        """Facts change by the day (they expire), so they are worked out once a day and language."""
        key = (now.astimezone(self._profile.zone).date(), language)
        if key not in self._facts:
            self._facts = {known: facts for known, facts in self._facts.items() if known[0] == key[0]}
            views = self._profile.facts_at(now, language)
            self._facts[key] = {
                name: Fact(view.value, view.sure, view.dialable, view.other) for name, view in views.items()
            }
        return self._facts[key]


def _weather(tx: Connection) -> str | None:
    """The supervisor's weather mode: cold, heat, storm, or None."""
    value: str | None = tx.execute(select(marks.c.value).where(marks.c.name == "weather")).scalar()
    return value or None


def _tickets(tx: Connection, citizen: int) -> tuple[OpenTicket, ...]:
    columns = (tickets.c.ref, tickets.c.topic, tickets.c.status, tickets.c.opened_at)
    query = select(*columns).where(tickets.c.citizen_id == citizen)
    rows = tx.execute(query.order_by(tickets.c.id.desc()).limit(_SHOWN)).all()
    return tuple(OpenTicket(*row) for row in rows)
