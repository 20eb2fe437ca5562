"""Who is on call. Pure: a roster and a moment go in, people come out.

Shifts are written in local time and compared in UTC, so that on both clock-change nights every minute
belongs to exactly the shift that the wall clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MIDNIGHT = 24 * 60


class Role(StrEnum):
    """A supervisor is rung when responders do not answer, and may act on everybody's tickets."""

    responder = "responder"
    supervisor = "supervisor"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster. `phone` None = cannot be rung; `languages` the one to speak first."""

    key: str
    name: str
    phone: str | None
    languages: tuple[str, ...] = ("el",)
    role: Role = Role.responder


@dataclass(frozen=True, slots=True)
class Shift:
    """A weekly duty. `days` Monday = 0; `start` and `end` in minutes of the local day, `end` not after
    `start` means the next day; `order` who is rung first, second, ..."""

    days: frozenset[int]
    start: int
    end: int
    order: tuple[str, ...]

    def span(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The UTC interval of the shift that begins on this local day."""
        minutes = self.end if self.end > self.start else self.end + MIDNIGHT
        return _utc(day, self.start, zone), _utc(day, minutes, zone)


@dataclass(frozen=True, slots=True)
class Roster:
    """People by key, their shifts in the order of the file, and the zone of the wall clock they mean."""

    people: Mapping[str, Person]
    shifts: tuple[Shift, ...]
    zone: ZoneInfo


def on_call(roster: Roster, now: datetime) -> list[Person]:
    """Everybody on shift at this aware moment, in the order in which they are rung."""
    keys: dict[str, None] = {}
    for shift in roster.shifts:
        if _covers(shift, now, roster.zone):
            keys.update(dict.fromkeys(shift.order))
    return [roster.people[key] for key in keys]


def supervisors(roster: Roster) -> list[Person]:
    """Every supervisor, in the order of the file; they are on call always."""
    return [person for person in roster.people.values() if person.role is Role.supervisor]


def gaps(roster: Roster, start: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """UTC intervals of the next `days` days in which nobody on shift can be rung."""
    end = start + timedelta(days=days)
    found, free_from = [], start
    for begins, ends in sorted(_spans(roster, start, end)):
        if begins > free_from:
            found.append((free_from, min(begins, end)))
        free_from = max(free_from, ends)
    if free_from < end:
        found.append((free_from, end))
    return found


def _spans(roster: Roster, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Intervals of all shifts in the window on which somebody has a phone."""
    reachable = [shift for shift in roster.shifts if any(roster.people[key].phone for key in shift.order)]
    day, last = _day(start, roster.zone) - timedelta(days=1), _day(end, roster.zone)
    while day <= last:
        for shift in reachable:
            begins, ends = shift.span(day, roster.zone)
            if day.weekday() in shift.days and ends > start and begins < end:
                yield begins, ends
        day += timedelta(days=1)


def _covers(shift: Shift, now: datetime, zone: ZoneInfo) -> bool:
    today = _day(now, zone)
    for day in (today - timedelta(days=1), today):
        begins, ends = shift.span(day, zone)
        if day.weekday() in shift.days and begins <= now < ends:
            return True
    return False


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _utc(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant. An hour that comes twice means its first coming and one that is
    left out the offset before, for the end of one shift and the begin of the next alike: no gap opens."""
    days, minute = divmod(minutes, MIDNIGHT)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), zone)
    return wall.astimezone(_UTC)


_UTC = ZoneInfo("UTC")
