"""What the oracle says about one run: what was owed, what was lost, what came twice and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Verdict:
    """`lost` and `pages_lost` count. `wrong` says each breach of an invariant in one sentence, `late` names
    each step that began too late. `duplicates` counts what came more than once by what and why
    ("message: outcome unknown"), `named` says which."""

    messages: int = 0
    lost: int = 0
    pages: int = 0
    pages_lost: int = 0
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    duplicates: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """No invariant was broken."""
        return not (self.lost or self.pages_lost or self.wrong or self.late)

    def blame(self, sentence: str) -> None:
        """An invariant is broken."""
        self.wrong.append(sentence)

    def twice(self, what: str, why: str, name: str, times: int = 1) -> None:
        """Something came more than once, within what is allowed; `name` = which one."""
        self.duplicates[f"{what}: {why}"] += times
        if len(self.named) < 200:
            self.named.append(f"{name} ({what}: {why}) x{times}")

    def add(self, other: Verdict) -> None:
        """The sum of many runs of one fault."""
        self.messages += other.messages
        self.lost += other.lost
        self.pages += other.pages
        self.pages_lost += other.pages_lost
        self.wrong += other.wrong
        self.late += other.late
        self.duplicates += other.duplicates
        self.named += other.named[: max(0, 200 - len(self.named))]
        self.figures.update(other.figures)
