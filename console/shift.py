"""Who is on call now and who is next: a pure reading of the roster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.roster import Person, Roster, on_call, supervisors

_AHEAD = 14  # days


@dataclass(frozen=True, slots=True)
class Shifts:
    """`now` until `changes` (None = no change in two weeks), then `later`."""

    now: tuple[Person, ...]
    changes: datetime | None
    later: tuple[Person, ...]
    supervisors: tuple[Person, ...]


def shifts(roster: Roster, moment: datetime) -> Shifts:
    """The shift of this moment and the next one that differs from it."""
    current = tuple(on_call(roster, moment))
    for change in _changes(roster, moment):
        following = tuple(on_call(roster, change))
        if following != current:
            return Shifts(current, change, following, tuple(supervisors(roster)))
    return Shifts(current, None, (), tuple(supervisors(roster)))


def _changes(roster: Roster, moment: datetime) -> list[datetime]:
    """Every begin and end of a shift in the next two weeks, in order."""
    today = moment.astimezone(roster.zone).date()
    days = [today + timedelta(days=ahead) for ahead in range(-1, _AHEAD)]
    ends = {
        edge
        for shift in roster.shifts
        for day in days
        if day.weekday() in shift.days
        for edge in shift.span(day, roster.zone)
    }
    return sorted(edge for edge in ends if edge > moment)
