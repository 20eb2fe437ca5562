"""Days on which the municipality's offices are closed: fixed days, and those that move with Easter.

Easter is computed (Meeus' Julian rule), never typed: printed lists have been wrong.
"""

from __future__ import annotations

from datetime import date, timedelta

_FIXED = ((1, 1), (1, 6), (3, 25), (5, 1), (8, 15), (10, 28), (12, 25), (12, 26))
# Clean Monday, Good Friday, Easter, Easter Monday, Holy Spirit: days from Easter Sunday.
_FROM_EASTER = (-48, -2, 0, 1, 50)
_JULIAN_TO_GREGORIAN = 13  # days, right from 1900 to 2099


def easter(year: int) -> date:
    """Orthodox Easter Sunday. Right for 1900 to 2099."""
    moon = (19 * (year % 19) + 15) % 30
    weekday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
    month, day = divmod(moon + weekday + 114, 31)
    return date(year, month, day + 1) + timedelta(days=_JULIAN_TO_GREGORIAN)


def holidays(year: int) -> frozenset[date]:
    """The public sector's closed days of one year, without those that a profile adds."""
    fixed = {date(year, month, day) for month, day in _FIXED}
    return frozenset(fixed | {easter(year) + timedelta(days=days) for days in _FROM_EASTER})
