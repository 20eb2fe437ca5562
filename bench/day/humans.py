"""How many people on call a number of inhabitants needs: the real pager, the real two clocks, only the
cases in danger, and different rosters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.day.demand import Arrivals, arrivals
from bench.day.numbers import Numbers
from bench.day.towns import TownSpec, make_town

FIRST = 500  # numbers of towns that exist only here


@dataclass(frozen=True, slots=True)
class Roster:
    """`towns` towns of `inhabitants` with `on_duty` people on call each."""

    name: str
    towns: int
    inhabitants: int
    on_duty: int
    cut: bool = False

    @property
    def per_100000(self) -> float:
        return self.on_duty / self.inhabitants * 100_000

    def specs(self, numbers: Numbers) -> tuple[TownSpec, ...]:
        """Its towns, all in the region that loses power if `cut`."""
        made = [make_town(FIRST + at, self.inhabitants, numbers) for at in range(self.towns)]
        return tuple(TownSpec(one.number, one.population, 0, self.on_duty) for one in made)

    def cases(self, numbers: Numbers, seed: int) -> Arrivals:
        """Those in danger, of one day; of a power cut the first hour and a half."""
        day = arrivals(self.specs(numbers), numbers, seed, cut=(0,) if self.cut else ()).reds()
        begins = float(numbers["cut_hours"][0]) * 3600
        return day.between(begins - 600, begins + 5400) if self.cut else day

    def until(self, numbers: Numbers) -> float:
        """When its last case has surely had its human, in seconds after midnight."""
        return float(numbers["cut_hours"][0]) * 3600 + 4 * 3600 if self.cut else 27 * 3600.0


def rosters(each: int = 4) -> list[Roster]:
    """The same inhabitants with more and more people, alone, small, together, and in a power cut."""
    return [
        *(Roster(f"100,000 inhabitants, {n} on call", each, 100_000, n) for n in (2, 4, 8)),
        Roster("100,000 inhabitants, 8 on call, power cut", 1, 100_000, 8, cut=True),
        Roster("20,000 inhabitants, 2 on call", each * 5, 20_000, 2),
        Roster(f"{each * 100_000:,} inhabitants together, {4 * each} on call", 1, each * 100_000, 4 * each),
    ]


def clocks(towns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What became of the red cases of these towns. Seconds; shares of all cases."""
    rows = np.array([page for town in towns for page in town["pages"]], dtype=object)
    if not len(rows):
        return {"cases": 0}
    needed = rows[:, 0].astype(float) / 1e6
    taken, heard, alarm = (_seconds(rows[:, at]) for at in (1, 2, 3))
    wait, word = taken - needed, heard - needed
    worked = sum(town["worked"] for town in towns)
    people = sum(town["on_duty"] + 1 for town in towns)
    return {
        "cases": len(rows),
        "taken_60": _share(wait <= 60),
        "taken_120": _share(wait <= 120),
        "heard_300": _share(word <= 300),
        "taken_p50": _quantile(wait, 0.5),
        "taken_p90": _quantile(wait, 0.9),
        "taken_p99": _quantile(wait, 0.99),
        "heard_p50": _quantile(word, 0.5),
        "heard_p99": _quantile(word, 0.99),
        "alarms": _share(~np.isnan(alarm)),
        "calls_a_case": sum(len(town["calls"]) for town in towns) / len(rows),
        "busy_calls": sum(town["busy_calls"] for town in towns)
        / max(1, sum(len(town["calls"]) for town in towns)),
        "used": worked / (people * 86_400),
    }


def first_calls(towns: Sequence[dict[str, Any]], zero: float) -> list[float]:
    """Seconds from the need of a page to its first call."""
    waits = []
    for town in towns:
        first: dict[int, float] = {}
        for at, page in town["calls"]:
            first.setdefault(page, at)
        waits += [first[page[4]] - (page[0] / 1e6 - zero) for page in town["pages"] if page[4] in first]
    return waits


def _seconds(column: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value / 1e6 for value in column], dtype=float)


def _share(holds: Any) -> float:
    return float(np.mean(holds))


def _quantile(values: np.ndarray[Any, np.dtype[np.float64]], q: float) -> float | None:
    """Of all cases: one that never got there counts as the longest."""
    filled = np.sort(np.where(np.isnan(values), np.inf, values))
    value = float(filled[min(len(filled) - 1, int(len(filled) * q))])
    return value if np.isfinite(value) else None
