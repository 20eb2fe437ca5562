"""The queues of the whole country, on paper: the stream of messages that the sample's conversations give when
every conversation of the country has one of them, through one core, one bot, one telephone account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.day.demand import DAY, Arrivals, Floats, Ints

Talk = tuple[bool, float, Sequence[float]]  # in danger, when it began, when each message was sent


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages of citizens in order of time, and the town of each."""

    at: Floats
    town: Ints

    def __len__(self) -> int:
        return len(self.at)

    def window(self, low: float, high: float) -> Stream:
        """Those of some hours."""
        first, last = np.searchsorted(self.at, [low, high])
        return Stream(self.at[first:last], self.town[first:last])

    def of(self, towns: Ints) -> Stream:
        """Those of some towns."""
        mine = np.isin(self.town, towns)
        return Stream(self.at[mine], self.town[mine])

    def times(self, load: int, towns: int, chance: np.random.Generator) -> Stream:
        """As many countries at once, each with its own small shift and its own towns."""
        shifts = [chance.uniform(-60, 60, len(self.at)) for _ in range(load)]
        at = np.concatenate([self.at + shift for shift in shifts])
        town = np.concatenate([self.town + copy * towns for copy in range(load)])
        return _in_order(at, town)


def stream(arrivals: Arrivals, talks: Sequence[Talk], chance: np.random.Generator) -> Stream:
    """Gives every conversation the course of one that was really had."""
    red = np.array([topic.startswith("red:") for topic in arrivals.topics])[arrivals.topic]
    at, town = [], []
    for danger in (False, True):
        courses = [np.asarray(sent) - began for is_red, began, sent in talks if is_red == danger]
        begun, place = arrivals.at[red == danger], arrivals.town[red == danger]
        if not courses or not len(begun):
            continue
        picks = chance.integers(len(courses), size=len(begun))
        lengths = np.array([len(course) for course in courses])[picks]
        at.append(np.repeat(begun, lengths) + np.concatenate([courses[pick] for pick in picks]))
        town.append(np.repeat(place, lengths))
    return _in_order(np.concatenate(at), np.concatenate(town))


def _in_order(at: Floats, town: Ints) -> Stream:
    order = np.argsort(at, kind="stable")
    return Stream(at[order], town[order])


def one_core(messages: Stream, batch: float, each: float, most: int = 4096) -> tuple[Floats, Floats]:
    """A core that takes all that waits at once, at `batch` seconds for every town in it and `each` for every
    message. Returns the wait of each message, and the core's busy seconds in each minute of the day."""
    at, town = messages.at, messages.town
    waits, busy = np.zeros(len(at)), np.zeros(int(DAY // 60) + 240)
    free, place, count = 0.0, 0, len(at)
    while place < count:
        start = max(float(at[place]), free)
        end = place + 1
        if free > at[place]:
            end = min(place + most, max(end, int(np.searchsorted(at, start, side="right"))))
        towns = 1 if end == place + 1 else len(set(town[place:end].tolist()))
        spent = batch * towns + each * (end - place)
        free = start + spent
        waits[place:end] = free - at[place:end]
        busy[min(int(start // 60), len(busy) - 1)] += spent
        place = end
    return waits, busy


def gate(at: Floats, rate: float) -> Floats:
    """Waits at something that lets `rate` a second pass, one by one."""
    index = np.arange(len(at)) / rate
    return np.maximum.accumulate(at - index) + index - at


def spoken(messages: Stream, each: float, chance: np.random.Generator) -> Floats:
    """When the bot's messages are due: `each` on average for every message of a citizen."""
    whole = int(each)
    counts = whole + (chance.random(len(messages)) < each - whole)
    return np.repeat(messages.at, counts)


def most_in(at: Floats, seconds: float) -> float:
    """The most in any such span, a second."""
    if not len(at):
        return 0.0
    return float(np.bincount((at // seconds).astype(np.int64)).max() / seconds)


def told(waits: Floats) -> dict[str, Any]:
    """The usual figures of waits, in seconds."""
    if not len(waits):
        return {"p50": 0.0, "p99": 0.0, "longest": 0.0}
    p50, p99, longest = np.percentile(waits, [50, 99, 100])
    return {"p50": float(p50), "p99": float(p99), "longest": float(longest)}
