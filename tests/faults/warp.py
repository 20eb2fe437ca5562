"""A wall clock that runs faster than life and may be set, the same in the rig and in the product.

It is counted from the machine's monotonic clock, which all processes share: no restart turns it back.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Warp:
    """`speed` times as fast as life since `begun` (monotonic seconds), when it was `wall` (Unix seconds).
    `dial` is a file that says by how many seconds somebody has set it ahead."""

    speed: float = 1.0
    dial: str = ""
    wall: float = field(default_factory=time.time)
    begun: float = field(default_factory=time.monotonic)
    ahead: float = 0.0

    def __post_init__(self) -> None:
        self.look()

    def now(self) -> float:
        """Unix seconds by this clock."""
        return self.wall + (time.monotonic() - self.begun) * self.speed + self.ahead

    def moment(self) -> datetime:
        """The same as an aware time."""
        return datetime.fromtimestamp(self.now(), UTC)

    def look(self) -> None:
        """Reads the dial again."""
        if self.dial and Path(self.dial).exists():
            self.ahead = float(Path(self.dial).read_text() or 0)

    def set_ahead(self, seconds: float) -> None:
        """Turns the dial by so many seconds (back, if negative). Others see it when they look."""
        self.ahead += seconds
        Path(self.dial).write_text(str(self.ahead))

    def as_given(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)
