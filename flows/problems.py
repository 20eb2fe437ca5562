"""What flows.check reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flows.model import Flow, Message, Node

CHECK_TIME = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)  # any moment: checks ask for no time of day


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one place. level: error or warning."""

    file: str
    line: int
    sentence: str
    level: str = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.sentence}"


def at_flow(flow: Flow, node: Node, sentence: str, level: str = "error") -> Problem:
    """A problem of a node."""
    return Problem(flow.file, node.line, sentence, level)


def at_text(message: Message, sentence: str, level: str = "error") -> Problem:
    """A problem of a text."""
    return Problem(message.file, message.line, sentence, level)
