"""The one clock. Nothing else in Limani asks the machine for the time.

`now()` is aware UTC. Tests and transcripts use ManualClock and move it by hand.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Moves forward (or back, for clock-jump tests) and returns the new time."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Jumps to an aware time."""
        self._now = to.astimezone(UTC)


def monotonic() -> float:
    """Seconds that only grow: for measuring how long something took, never for due times."""
    return time.monotonic()


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, as the database keeps times. Naive times are an error."""
    if moment.tzinfo is None:
        raise ValueError("naive time")
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


def rfc3339(moment: datetime | None) -> str | None:
    """UTC with Z and milliseconds, as exports and the console API print times."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
