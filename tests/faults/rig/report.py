"""One table for people and one JSON file for programs."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.rig.verdict import Verdict

HEADS = ("fault", "injected", "messages", "lost", "pages", "pages lost", "duplicates", "verdict")


@dataclass(slots=True)
class Line:
    """One fault of the table. `seconds` it took."""

    fault: str
    injected: int
    verdict: Verdict
    seconds: float = 0.0

    @property
    def cells(self) -> tuple[str, ...]:
        """As text, in the order of HEADS."""
        said = self.verdict
        twice = sum(said.duplicates.values())
        word = "holds" if said.good else f"BROKEN ({len(said.wrong) + len(said.late)})"
        numbers = (self.injected, said.messages, said.lost, said.pages, said.pages_lost, twice)
        return (self.fault, *(f"{number:,}" for number in numbers), word)


@dataclass(slots=True)
class Report:
    """What one run of the rig found."""

    seed: int
    lines: list[Line] = field(default_factory=list)
    begun: float = field(default_factory=time.time)

    @property
    def good(self) -> bool:
        """No line is broken."""
        return all(line.verdict.good for line in self.lines)

    def table(self) -> str:
        """For a terminal."""
        rows = [HEADS, *(line.cells for line in self.lines)]
        wide = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        shown = ["  ".join(_cell(text, wide[n], n) for n, text in enumerate(row)).rstrip() for row in rows]
        shown.insert(1, "  ".join("-" * width for width in wide))
        return "\n".join(shown)

    def details(self) -> str:
        """What came twice and why, every breach, and the figures."""
        parts = []
        for line in self.lines:
            said = line.verdict
            parts += [f"{line.fault}: {count} x {what}" for what, count in sorted(said.duplicates.items())]
            parts += [f"{line.fault}: {name}: {value}" for name, value in said.figures.items()]
            parts += [f"{line.fault}: BROKEN: {sentence}" for sentence in (said.wrong + said.late)[:20]]
        return "\n".join(parts)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            {
                "fault": line.fault,
                "injected": line.injected,
                "seconds": round(line.seconds, 1),
                "messages": line.verdict.messages,
                "lost": line.verdict.lost,
                "pages": line.verdict.pages,
                "pages_lost": line.verdict.pages_lost,
                "duplicates": dict(line.verdict.duplicates),
                "duplicates_named": line.verdict.named,
                "wrong": line.verdict.wrong,
                "late": line.verdict.late,
                "figures": line.verdict.figures,
                "holds": line.verdict.good,
            }
            for line in self.lines
        ]
        document = {
            "seed": self.seed,
            "begun": self.begun,
            "seconds": time.time() - self.begun,
            "holds": self.good,
            "faults": lines,
        }
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1))


class Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, what: str, whole: int) -> None:
        self._what, self._whole = what, max(whole, 1)

    def at(self, done: int, more: str = "") -> None:
        """Shows how far it is."""
        if sys.stderr.isatty():
            share = min(done / self._whole, 1.0)
            bar = "#" * int(share * 30)
            print(
                f"\r{self._what:<28} [{bar:<30}] {done:,}/{self._whole:,} {more:<30}", end="", file=sys.stderr
            )
            if done >= self._whole:
                print(file=sys.stderr)


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column in (0, len(HEADS) - 1) else text.rjust(width)
