"""What a citizen's phone shows: messages with their buttons, in order.

`expects` waits for a message on a condition, takes each message once, and says on failure what was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.record import Record


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `data` is what a tap sends back, `url` is set for links, `kind` for shared things."""

    label: str
    data: str = ""
    url: str = ""
    kind: Literal["tap", "link", "text", "contact", "location"] = "tap"


@dataclass(slots=True)
class Shown:
    """One message on the screen; `by` says whose, `versions` keeps what an edit has replaced."""

    message_id: int
    text: str
    by: Literal["bot", "citizen"] = "bot"
    buttons: list[list[Button]] = field(default_factory=list)
    kind: str = "text"
    at: float = 0.0
    versions: list[str] = field(default_factory=list)
    expected: bool = False
    seen: bool = False

    @property
    def labels(self) -> list[str]:
        """The labels of its buttons in reading order."""
        return [button.label for row in self.buttons for button in row]

    def as_json(self) -> dict[str, Any]:
        """For the demo page and the control door; ids as text, since JavaScript rounds 19 digits."""
        return {
            "id": str(self.message_id),
            "text": self.text,
            "by": self.by,
            "type": self.kind,
            "at": self.at,
            "buttons": [[{"label": b.label, "url": b.url, "type": b.kind} for b in r] for r in self.buttons],
        }


class Screen(list[Shown]):
    """The list itself, with ways to look at it."""

    def find(self, message_id: int) -> Shown | None:
        """The message with this id."""
        return next((shown for shown in self if shown.message_id == message_id), None)

    def button(self, label: str) -> tuple[Shown, Button] | None:
        """The newest button with this label, else the newest whose label contains it."""
        for fits in (lambda text: text == label, lambda text: label in text):
            for shown in reversed(self):
                for button in (b for row in shown.buttons for b in row):
                    if fits(button.label):
                        return shown, button
        return None

    @property
    def said(self) -> list[str]:
        """The bot's texts only."""
        return [shown.text for shown in self if shown.by == "bot"]

    def __str__(self) -> str:
        lines = []
        for shown in self:
            lines.append(f"{shown.by}: {shown.text}")
            lines += ["    " + " ".join(f"[{button.label}]" for button in row) for row in shown.buttons]
        return "\n".join(lines) or "(an empty screen)"


async def expect(
    record: Record, screen: Screen, wanted: str | Callable[[Shown], bool], within: float
) -> Shown:
    """The first message of the bot, not expected before, that fits; AssertionError shows the screen."""

    def look() -> Shown | None:
        return next((s for s in screen if s.by == "bot" and not s.expected and fits(s, wanted)), None)

    def trouble() -> str:
        return f"no message with {wanted!r} within {within} s; the screen shows:\n{screen}"

    shown = await record.until(look, within, trouble)
    shown.expected = True
    return shown


def fits(shown: Shown, wanted: str | Callable[[Shown], bool]) -> bool:
    """Text is looked for in the message and in its button labels."""
    if callable(wanted):
        return bool(wanted(shown))
    return wanted in shown.text or any(wanted in label for label in shown.labels)
