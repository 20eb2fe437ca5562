"""What a process counts of itself: plain numbers that cost less than a microsecond, read at each scrape.

Figures are handed to the parts that count; nothing is global. A label is a word of ours (a channel, a state,
an outcome), never anything that a person said or is. Each series is written by one thread; a reader may see
it a moment late.
"""

from __future__ import annotations

from bisect import bisect_left

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
Key = tuple[str, ...]
"""The name of a series, and the values of its labels."""


class Histogram:
    """How often a value fell below each bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Bounds and how many values were at most that, as Prometheus wants them."""
        seen, steps = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            steps.append(("+Inf" if bound == float("inf") else str(float(bound)), float(seen)))
        return steps


class Figures:
    """Counters, histograms and present values of one process. limani/metrics.py knows the names."""

    __slots__ = ("counts", "levels", "spans")

    def __init__(self) -> None:
        self.counts: dict[Key, int] = {}
        self.spans: dict[Key, Histogram] = {}
        self.levels: dict[Key, float] = {}

    def count(self, *key: str, by: int = 1) -> None:
        """`by` more: figures.count("provider_answers", "telegram", "ok")."""
        counts = self.counts
        counts[key] = counts.get(key, 0) + by

    def span(self, seconds: float, *key: str) -> None:
        """Something took so long: figures.span(0.012, "provider_seconds", "telegram")."""
        try:
            self.spans[key].add(seconds)
        except KeyError:
            self.spans[key] = Histogram()
            self.spans[key].add(seconds)

    def size(self, count: int, *key: str) -> None:
        """Something had so many parts: figures.size(17, "batch_works")."""
        try:
            self.spans[key].add(count)
        except KeyError:
            self.spans[key] = Histogram(SIZES)
            self.spans[key].add(count)

    def level(self, value: float, *key: str) -> None:
        """How something is now: figures.level(1, "redis_up")."""
        self.levels[key] = value
