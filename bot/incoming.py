"""What a channel makes of one webhook body: our words, not the provider's.

`provider_key` is unique per channel and event, so a repeated webhook has no second effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.session import StimulusKind


@dataclass(frozen=True, slots=True)
class Incoming:
    """A citizen did something.

    address      how the channel reaches the citizen (chat id, Viber id, web token, phone)
    button       the opaque token of a tapped button
    message_id   the provider's id of the message, so that an edit or a tap finds it
    name         the name that the channel shows, if any
    language     the language of the citizen's app, a hint only
    """

    channel: str
    provider_key: str
    address: str
    kind: StimulusKind
    text: str = ""
    button: str | None = None
    message_id: str | None = None
    place: tuple[float, float] | None = None
    file_kind: str | None = None  # photo, voice, video, document, sticker
    file_id: str | None = None
    name: str | None = None
    language: str | None = None

    def body(self) -> dict[str, Any]:
        """What is sealed in the inbox row: enough to take the turn at any later time."""
        fields = ("text", "button", "message_id", "place", "file_kind", "file_id", "language")
        return {name: value for name in fields if (value := getattr(self, name)) not in (None, "")}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider tells what became of a message of ours: outcome is delivered, seen or failed."""

    channel: str
    provider_id: str
    outcome: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """The citizen blocked us or unsubscribed: nothing is sent until he or she writes again."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A body that this version does not understand. It is kept, answered 200, and harms nobody."""

    channel: str
    provider_key: str
    raw: str
    why: str


Arrival = Incoming | Receipt | Left | NotUnderstood
