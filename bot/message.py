"""A message on its way to a citizen: what it says, which goes first, what may become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from bot.channels.base import Outgoing
from flows.events import Button
from store.moves import Moves

LEASE = timedelta(seconds=12)  # longer than the longest request, so that only a crash lets it run out
MOST_TRIES = 40  # with the pace below: about half a day of an unreachable provider
PACE = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200)  # seconds before each further try
SET_BACK = timedelta(minutes=2)
"""A time that lies further ahead than could have been written, and this much, was written before the clock
was set back: it counts as over."""


class Lane(IntEnum):
    """Which message goes first."""

    urgent = 0
    ordinary = 1
    broadcast = 2


class MessageState(StrEnum):
    """What became of a message. unknown = the request was written and no answer came."""

    due = "due"
    sending = "sending"
    unknown = "unknown"
    sent = "sent"
    failed = "failed"
    blocked = "blocked"


MOVES: Moves[MessageState] = {
    MessageState.due: {MessageState.sending, MessageState.blocked},
    MessageState.sending: {
        MessageState.due,
        MessageState.unknown,
        MessageState.sent,
        MessageState.failed,
        MessageState.blocked,
    },
    MessageState.unknown: {
        MessageState.sending,
        MessageState.sent,
        MessageState.failed,
        MessageState.blocked,
    },
    MessageState.sent: {MessageState.failed},
    MessageState.failed: set(),
    MessageState.blocked: set(),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell a citizen, before it is cut to a channel's measure. `key` is "flow.message"."""

    key: str
    text: str
    buttons: tuple[Button, ...] = ()
    location: bool = False
    phone: bool = False
    lane: Lane = Lane.ordinary
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process sends now."""

    id: int
    citizen_id: int
    address_id: int
    channel: str
    address: str
    message: Outgoing
    attempts: int
    owner: str
    ticket: int | None
    said_at: datetime  # the moment of its turn: what was said together goes out together
    doubts: int  # how often it may have arrived already


@dataclass(frozen=True, slots=True)
class Hands:
    """A sender that takes messages the moment they are said: whose lease, and how many of each channel."""

    owner: str
    room: Mapping[str, int]
