"""What the rig itself did and was told: a file of JSON lines that no kill touches.

`accepted`: a webhook body was answered 2xx, so the product owes it. `life`: a process of the product began or
ended. `deed`: a responder did something by link or command line, so an acknowledgement may come of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "zqkfw"  # no word of any language: every text of a citizen carries one, with a number behind it


@dataclass(frozen=True, slots=True)
class Accepted:
    """A body that was answered 2xx. `number` counts per citizen; `text` as it was first sent."""

    channel: str
    key: str
    who: str
    number: int
    text: str
    red: bool
    at: float


@dataclass(slots=True)
class Life:
    """A process of some roles, from its readiness to its end (None: it was alive at the drain)."""

    roles: str
    begun: float
    ended: float | None
    how: str = ""


class Ledger:
    """Appends facts; keeps them in memory as well."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._file = path.open("a", encoding="utf-8")
        self.accepted: list[Accepted] = []
        self.lives: list[Life] = []
        self.deeds: list[dict[str, Any]] = []
        self.leaps: list[tuple[float, float]] = []

    def accept(self, channel: str, key: str, who: str, number: int, text: str, red: bool = False) -> None:
        """The product said 2xx to this body."""
        entry = Accepted(channel, key, who, number, text, red, self._clock())
        self.accepted.append(entry)
        self._write("accepted", {name: getattr(entry, name) for name in Accepted.__slots__})

    def begins(self, roles: str = "all") -> Life:
        """A process is ready."""
        life = Life(roles, self._clock(), None)
        self.lives.append(life)
        self._write("begins", {"roles": roles, "at": life.begun})
        return life

    def ends(self, life: Life, how: str) -> None:
        """It was killed, stopped or has crashed."""
        life.ended, life.how = self._clock(), how
        self._write("ends", {"roles": life.roles, "how": how, "at": life.ended})

    def deed(self, **what: Any) -> None:
        """A responder acted: via=link|console, attempt or ref, person."""
        self.deeds.append(what)
        self._write("deed", what)

    def leap(self, before: float, after: float) -> None:
        """Somebody has set the clock: what was due between the two is due at the second."""
        self.leaps.append((before, after))
        self._write("leap", {"before": before, "after": after})

    def close(self) -> None:
        """Releases the file."""
        self._file.close()

    def _write(self, fact: str, about: dict[str, Any]) -> None:
        self._file.write(json.dumps({"fact": fact, **about}, ensure_ascii=False) + "\n")
        self._file.flush()
