"""The claims: what must hold, what we aim at. One list; a row whose `must` does not hold fails the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One claim. `more`: a higher figure is the better one; `unit` follows the figure."""

    key: str
    row: str  # the module of bench.rows that measures it
    what: str
    against: str
    must: float
    aim: float
    unit: str
    more: bool = False

    def verdict(self, value: float) -> str:
        """aim, must or FAILS."""
        if self._holds(value, self.aim):
            return "aim"
        return "must" if self._holds(value, self.must) else "FAILS"

    def _holds(self, value: float, bound: float) -> bool:
        return value >= bound if self.more else value <= bound


GOALS = (
    Goal(
        *("turn_ptb", "turn", "full turn, SQLite FULL, one core", "python-telegram-bot in memory"),
        *(0.35, 0.5, "x its rate", True),
    ),
    Goal(
        *("turn_rasa", "rasa", "full turn, SQLite FULL, one core", "Rasa's REST channel with rules"),
        *(20, 30, "x its rate", True),
    ),
    Goal(
        *("door", "door", "door alone: verified, stored, answered", "bare aiohttp JSON echo"),
        *(0.35, 0.5, "x its rate", True),
    ),
    Goal(
        *("postgres", "postgres", "full turn on PostgreSQL, one worker", "SQLite"),
        *(0.3, 0.5, "x its rate", True),
    ),
    Goal(
        *("workers", "workers", "CPU per turn with two workers", "one worker"),
        *(1.15, 1.05, "x its CPU"),
    ),
    Goal("page", "page", "red message to Twilio request, p99, beside 200 messages/s", "", 150, 50, "ms"),
    Goal("reply", "reply", "reply, p99, at 200 messages/s", "", 60, 25, "ms"),
    Goal(
        *("size_cpu", "size", "CPU per turn at 1,000,000 citizens, 10,000,000 messages", "1,000 citizens"),
        *(1.2, 1.05, "x its CPU"),
    ),
    Goal(
        *("size_page", "size", "time to page at 1,000,000 citizens, 10,000,000 messages", "1,000 citizens"),
        *(1.2, 1.05, "x its time"),
    ),
    Goal("memory", "memory", "resident memory, everything on", "", 200, 120, "MiB"),
    Goal(
        *("memory_rasa", "memory", "resident memory, everything on", "Rasa server", 0.25, 0.25),
        "x its memory",
    ),
    Goal("cold", "cold", "cold start to ready", "Rasa server", 2.0, 1.0, "s"),
    Goal(
        "restart",
        "restart",
        "restart after kill -9 to the overdue page",
        "GoAlert's 5 s cycle",
        3.0,
        1.5,
        "s",
    ),
)
ROWS = tuple(dict.fromkeys(goal.row for goal in GOALS))
