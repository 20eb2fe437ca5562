"""What happened: plain lists, written while the day runs and read when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """Of one process. Times are seconds since midnight."""

    batches: list[tuple[float, float, float, int]] = field(default_factory=list)  # start, cpu, cost, posts
    stimuli: list[tuple[float, bool]] = field(
        default_factory=list
    )  # when sent, whether by somebody in danger
    replies: list[tuple[float, float, bool]] = field(
        default_factory=list
    )  # when asked, wait, first of a red one
    messages: list[tuple[float, int]] = field(default_factory=list)  # when it left, which town
    impatient: int = 0
    longest: int = 0

    def batch(self, start: float, cpu: float, cost: float, posts: int) -> None:
        """One batch has run: when, its CPU seconds, with the disk's, and how many messages were in it."""
        self.batches.append((start, cpu, cost, posts))
        self.longest = max(self.longest, posts)

    def stimulus(self, at: float, red: bool) -> None:
        """A citizen has sent something."""
        self.stimuli.append((at, red))

    def reply(self, asked: float, wait: float, first: bool) -> None:
        """The last message of a reply has left; `first`: they are the first words to somebody in danger."""
        self.replies.append((asked, wait, first))

    def message(self, at: float, town: int) -> None:
        """One message has left."""
        self.messages.append((at, town))

    def plain(self) -> dict[str, Any]:
        """As it travels between processes."""
        return {name: getattr(self, name) for name in self.__slots__}
