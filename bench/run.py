"""What a row is given and what it gives back."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Crowd, Result
from bench.servers import ROOT

CACHE = ROOT / "var" / "bench"


class RowFailed(Exception):
    """A row cannot be believed: messages lost, replies missing, words not read. One sentence."""


@dataclass(slots=True)
class Run:
    """One run of the bench. `quick` makes everything short: it shows that it works, not how fast."""

    folder: Path
    quick: bool = False

    def seconds(self, long: float) -> float:
        """How long to load in each round."""
        return min(long, 1.5) if self.quick else long

    def rounds(self, many: int = 3) -> int:
        """How often to go round."""
        return 1 if self.quick else many

    def rate(self, many: float) -> float:
        """How many messages a second."""
        return many / 4 if self.quick else many

    def place(self, name: str) -> Path:
        """A fresh folder of this run."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path


@dataclass(frozen=True, slots=True)
class Figure:
    """The value that a goal is held against, with what it was made of."""

    value: float
    ours: str
    theirs: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


Figures = dict[str, Figure]


def say(*words: object) -> None:
    """Progress, on stderr: the table has stdout to itself."""
    print(*words, file=sys.stderr, flush=True)


async def rounds(run: Run, crowds: dict[str, Crowd], seconds: float, at_once: int = 64) -> dict[str, Result]:
    """Loads each crowd's server in turn, A B A B: what disturbs the machine disturbs all. The median round
    of each counts (by its rate)."""
    results: dict[str, list[Result]] = {name: [] for name in crowds}
    for number in range(run.rounds()):
        for name, crowd in crowds.items():
            result = await crowd.closed(run.seconds(seconds), at_once)
            if result.stray:
                raise RowFailed(f"{result.stray} messages of {name} answered nothing")
            results[name].append(result)
            say(f"  round {number + 1} {name}: {shown(result)}")
    return {name: _middle(each) for name, each in results.items()}


def _middle(results: list[Result]) -> Result:
    wanted = median([result.rate for result in results])
    return min(results, key=lambda result: abs(result.rate - wanted))


def shown(result: Result) -> str:
    """A result in one line."""
    return (
        f"{result.rate:.0f} turns/s, {result.cpu_us:.0f} us CPU a turn, "
        f"p50 {result.percentile(0.5):.1f} ms, p99 {result.percentile(0.99):.1f} ms"
    )


def as_detail(result: Result) -> dict[str, float]:
    """A result for the JSON file."""
    return {
        "turns": result.turns,
        "rate": round(result.rate, 1),
        "cpu_us": round(result.cpu_us, 1),
        "core": round(result.cpu / result.seconds, 3),
        "p50_ms": round(result.percentile(0.5), 2),
        "p99_ms": round(result.percentile(0.99), 2),
    }
