"""The roster as a calendar file (RFC 5545). Times are UTC, so no time zone has to be explained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from escalation.roster import Roster, Shift

_OCTETS = 75  # the longest line that the format allows


def as_calendar(roster: Roster, start: datetime, end: datetime) -> str:
    """Every shift that touches the time from `start` to `end`, one event each."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Limani//roster//EN"]
    for number, begins, ends, shift in _events(roster, start, end):
        names = ", ".join(roster.people[key].name for key in shift.order)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_utc(begins)}-{number}@limani",
            f"DTSTAMP:{_utc(start)}",
            f"DTSTART:{_utc(begins)}",
            f"DTEND:{_utc(ends)}",
            f"SUMMARY:{_escaped(names)}",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _events(
    roster: Roster, start: datetime, end: datetime
) -> Iterator[tuple[int, datetime, datetime, Shift]]:
    day: date = start.astimezone(roster.zone).date() - timedelta(days=1)
    last = end.astimezone(roster.zone).date()
    while day <= last:
        for number, shift in enumerate(roster.shifts):
            begins, ends = shift.span(day, roster.zone)
            if day.weekday() in shift.days and ends > start and begins < end:
                yield number, begins, ends, shift
        day += timedelta(days=1)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """Long lines go on after a line break and a blank; no letter is cut in its bytes."""
    folded, length = "", 0
    for letter in line:
        size = len(letter.encode())
        if length + size > _OCTETS:
            folded, length = f"{folded}\r\n ", 1
        folded, length = folded + letter, length + size
    return folded
