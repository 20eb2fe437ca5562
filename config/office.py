"""When the municipality's offices answer the phone: weekly hours, holidays, and the exceptions of a town.

Takes the moment as an argument; local time is used here and nowhere else in this room.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.holidays import holidays

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(value: object) -> object:
    """`mon-fri`, `mon,wed` or `sat` as the numbers of the weekdays, Monday = 0."""
    if not isinstance(value, str):
        return value
    found: set[int] = set()
    for part in value.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError("days are written like mon-fri or mon,wed")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found.update((start + i) % 7 for i in range((end - start) % 7 + 1))
    return sorted(found)


def _month_day(value: object) -> object:
    """`11-11` as (month, day); YAML has no such type."""
    if not isinstance(value, str):
        return value
    return [int(part) for part in value.split("-")] if value.replace("-", "").isdigit() else value


class Hours(BaseModel):
    """One line of opening hours, local time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], BeforeValidator(_days)]
    from_: Annotated[time, Field(alias="from")]
    to: time

    @model_validator(mode="after")
    def _forward(self) -> Hours:
        if self.from_ >= self.to:
            raise ValueError("`to` must be later than `from`")
        return self


MonthDay = Annotated[
    tuple[Annotated[int, Field(ge=1, le=12)], Annotated[int, Field(ge=1, le=31)]], BeforeValidator(_month_day)
]


class Office(BaseModel):
    """Opening hours and closed days. `closed_on` and `open_on` are single days that break the rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: tuple[Hours, ...]
    closed_every_year: tuple[MonthDay, ...] = ()
    closed_on: frozenset[date] = frozenset()
    open_on: frozenset[date] = frozenset()

    def open_at(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether the office answers at this aware moment."""
        local = now.astimezone(zone)
        return not self.closed(local.date()) and any(
            local.weekday() in line.days and line.from_ <= local.time() < line.to for line in self.hours
        )

    def closed(self, day: date) -> bool:
        """Whether that day is a holiday here."""
        if day in self.open_on:
            return False
        return (
            day in self.closed_on
            or (day.month, day.day) in self.closed_every_year
            or day in holidays(day.year)
        )
