"""Who writes when: doubly stochastic arrivals for any number of towns, all drawn from one seed.

A town's half hour has a rate: its inhabitants, the share that writes on such a day, the topic's curve of the
day, times two gamma factors of mean 1 (one for its day, one for the half hour). Given the rate, arrivals are
Poisson. A power cut adds a burst to the towns of one region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.day.numbers import Numbers
from bench.day.towns import TownSpec

HALF_HOUR = 1800.0
DAY = 86_400.0
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
CURVES = {
    "extreme_weather": "hours_heat",
    "elderly_care": "hours_heat",
    "medical_calm": "hours_heat",
    "homelessness": "hours_heat",
    "psych_support": "hours_crisis",
    "red:medical": "hours_heat",
    "red:suicide": "hours_crisis",
    "red:violence": "hours_crisis",
    "red:child": "hours_office",
}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """First messages, in order of time. `town` and `topic` are places in the lists that they were made of;
    `cut` marks those whom a power cut made write."""

    at: Floats
    town: Ints
    topic: Ints
    cut: np.ndarray[Any, np.dtype[np.bool_]]
    topics: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at)

    def reds(self) -> Arrivals:
        """Only those in danger."""
        return self._only(np.array([topic.startswith("red:") for topic in self.topics])[self.topic])

    def between(self, low: float, high: float) -> Arrivals:
        """Only those of some hours, in seconds after midnight."""
        return self._only((self.at >= low) & (self.at < high))

    def _only(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> Arrivals:
        columns = (self.at[chosen], self.town[chosen], self.topic[chosen], self.cut[chosen])
        return Arrivals(*columns, self.topics)


def shares(numbers: Numbers) -> dict[str, float]:
    """Of all conversations: each topic's, those in danger apart."""
    red, calm = float(numbers["red_share"]), numbers["topics"]
    total = sum(calm.values())
    kinds = numbers["red_kinds"]
    return {name: share / total * (1 - red) for name, share in calm.items()} | {
        f"red:{kind}": share / sum(kinds.values()) * red for kind, share in kinds.items()
    }


def arrivals(towns: Sequence[TownSpec], numbers: Numbers, seed: int, cut: Sequence[int] = ()) -> Arrivals:
    """The day of these towns; `cut` = the regions without power, one for each of `cut_hours`."""
    parts: list[tuple[Floats, Ints, Ints, bool]] = []
    told = shares(numbers)
    curves = [numbers.hours(CURVES.get(name, "hours_office")) for name in told]
    mix = np.array(list(told.values()))
    hours = list(zip(cut, numbers["cut_hours"], strict=False))
    for place, town in enumerate(towns):
        chance = np.random.default_rng([seed, town.number])  # a town's day is the same in any sample
        for topic, at in enumerate(_ordinary(town, mix, curves, numbers, chance)):
            parts.append((at, np.full(len(at), place), np.full(len(at), topic), False))
        for region, hour in hours:
            if region == town.region:
                at = _burst(town, hour, numbers, chance)
                parts.append((at, np.full(len(at), place), _topics(len(at), told, chance), True))
    return _sorted(parts, tuple(told))


def _ordinary(
    town: TownSpec, mix: Floats, curves: Sequence[Floats], numbers: Numbers, chance: np.random.Generator
) -> list[Floats]:
    day = _busy(float(numbers["day_spread"]), 1, chance)
    slots = _busy(float(numbers["slot_spread"]), 48, chance) * day
    expected = town.population * float(numbers["writers_share"])
    found = []
    for share, curve in zip(mix, curves, strict=True):
        counts = chance.poisson(expected * share * curve * slots)
        starts = np.repeat(np.arange(48) * HALF_HOUR, counts)
        found.append(starts + chance.random(len(starts)) * HALF_HOUR)
    return found


def _busy(spread: float, count: int, chance: np.random.Generator) -> Floats:
    """Gamma factors of mean 1 with this coefficient of variation."""
    if spread == 0:
        return np.ones(count)
    shape = 1 / spread**2
    return chance.gamma(shape, 1 / shape, count)


def _burst(town: TownSpec, hour: float, numbers: Numbers, chance: np.random.Generator) -> Floats:
    """Everybody within the minutes of the broadcast, most of them early (a falling triangle)."""
    count = chance.poisson(town.population * float(numbers["cut_share"]))
    span = float(numbers["cut_minutes"]) * 60
    return hour * 3600 + span * (1 - np.sqrt(chance.random(count)))


def _topics(count: int, told: dict[str, float], chance: np.random.Generator) -> Ints:
    """After a cut people write of heat, water and the old; danger keeps its share."""
    wanted = {"extreme_weather": 0.6, "water_tariff": 0.15, "elderly_care": 0.25}
    red = sum(share for name, share in told.items() if name.startswith("red:"))
    weights = [told[name] if name.startswith("red:") else wanted.get(name, 0.0) * (1 - red) for name in told]
    return chance.choice(len(told), count, p=np.array(weights) / sum(weights))


def _sorted(parts: Sequence[tuple[Floats, Ints, Ints, bool]], topics: tuple[str, ...]) -> Arrivals:
    at = np.concatenate([part[0] for part in parts])
    order = np.argsort(at, kind="stable")
    town = np.concatenate([part[1] for part in parts])[order]
    topic = np.concatenate([part[2] for part in parts])[order]
    cut = np.concatenate([np.full(len(part[0]), part[3]) for part in parts])[order]
    return Arrivals(at[order], town.astype(np.int64), topic.astype(np.int64), cut, topics)
