"""The port that every channel fits: limits, one `send`, and a closed list of what can go wrong.

The outbox knows no provider, and no adapter knows retries, leases or the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from flows.events import Button


@dataclass(frozen=True, slots=True)
class Limits:
    """What fits into one message. text = characters, label = characters on a button."""

    text: int
    label: int
    buttons: int
    rate: float  # messages a second over all chats
    chat_rate: float = 1.0  # messages a second to one chat; short bursts are fine


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it leaves. A button's `value` is an opaque token already."""

    text: str
    buttons: tuple[Button, ...] = ()
    location: bool = False  # offer the channel's own "send my place"
    phone: bool = False  # offer the channel's own "share my number"
    urgent: bool = False


class SendError(Exception):
    """A message was not (or not surely) sent. `why` is a short word for the row, never a text."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why[:200]


class Retry(SendError):
    """Certainly not sent; try again after `after` seconds (None = the outbox's own pace)."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Unknown(SendError):
    """The request was written and no answer came: it may or may not have arrived."""


class Blocked(SendError):
    """The citizen does not take messages from us any more, or the address is gone."""


class Rejected(SendError):
    """The provider will never take this message; repeating it is useless."""


class Misconfigured(SendError):
    """Our own token or set-up is refused: every message fails until a human mends it."""


class Moved(SendError):
    """The chat has a new address (Telegram group to supergroup)."""

    def __init__(self, address: str) -> None:
        super().__init__("moved")
        self.address = address


class Channel(Protocol):
    """One way to talk with citizens."""

    name: str
    limits: Limits

    async def send(self, address: str, message: Outgoing) -> str | None:
        """Sends and returns the provider's id of the message. Raises a SendError, nothing else."""
        ...

    async def answers(self) -> bool:
        """Whether the provider answers at all (a refusal is an answer). Asked before a message of unknown
        outcome is said once more: a second unknown outcome would be its last."""
        ...

    def routes(self) -> list[web.RouteDef]:
        """The webhook (or page) routes of this channel."""
        ...

    async def start(self, *, listens: bool = True) -> None:
        """Opens connections, and where this process `listens` registers the webhook if that is our job;
        must not fail for an unreachable provider (the outbox retries)."""
        ...

    async def stop(self) -> None:
        """Closes connections."""
        ...
