"""What a step may know of the world: facts of the profile, who is on call, this citizen's tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from config.profile import Profile
from flows.session import Context, Fact, OpenTicket
from store.ids import Ids
from store.prepared import Prepared, PreparedSet
from store.schema import marks, tickets

_TICKETS = PreparedSet(
    select(
        *(tickets.c.citizen_id, tickets.c.id, tickets.c.ref, tickets.c.topic, tickets.c.status),
        tickets.c.opened_at,
    ),
    tickets.c.citizen_id,
)
_WEATHER = Prepared(select(marks.c.value).where(marks.c.name == "weather"))
_REF = Prepared(select(tickets.c.id).where(tickets.c.ref == bindparam("given")))
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

    def contexts(self, tx: Connection, languages: Mapping[int, str], now: datetime) -> dict[int, Context]:
        """The world of several citizens (and the language of each) at one moment. The reference that each is
        offered may be taken: see `free`."""
        told = _tickets(tx, list(languages))
        weather = _WEATHER.first(tx)
        on_call, office_open = self._on_call(now), self._profile.office_open(now)
        prefix, thresholds = self._profile.town.ref_prefix, self._profile.town.thresholds
        return {
            citizen: Context(
                now=now,
                ref=self._ids.ref(prefix, _REF_LETTERS),
                facts=self._facts_at(now, language),
                on_call=on_call,
                office_open=office_open,
                start_above=thresholds.start,
                switch_above=thresholds.switch,
                weather=(weather.value or None) if weather else None,
                tickets=told.get(citizen, ()),
            )
            for citizen, language in languages.items()
        }

    def free(self, tx: Connection, ref: str) -> bool:
        """Whether no ticket has this reference."""
        return _REF.first(tx, given=ref) is None

    def longer(self, context: Context) -> Context:
        """The same world with another reference. The more tickets there are, the longer new ones become."""
        prefix = self._profile.town.ref_prefix
        letters = len(context.ref) - len(prefix)  # the old one's letters and its dash: one more than it had
        return replace(context, ref=self._ids.ref(prefix, letters))

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


def _tickets(tx: Connection, citizens: list[int]) -> dict[int, tuple[OpenTicket, ...]]:
    """The newest few tickets of each."""
    found: dict[int, list[Any]] = {}
    for row in _TICKETS.all(tx, citizens):
        found.setdefault(row.citizen_id, []).append(row)
    return {
        citizen: tuple(
            OpenTicket(row.ref, row.topic, row.status, row.opened_at)
            for row in sorted(rows, key=lambda row: -row.id)[:_SHOWN]
        )
        for citizen, rows in found.items()
    }
