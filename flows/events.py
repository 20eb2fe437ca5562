"""What a step says has happened: a closed union of frozen facts in the past tense.

The engine returns them and does nothing; `bot.turn` makes each of them true in one transaction.
A `match` over `Event` ends in `assert_never`, so a new fact cannot be forgotten anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Answer = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Button:
    """One choice under a text. `value` comes back in the Stimulus; the channel never shows it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Said:
    """The bot told the citizen something. `key` is "flow.message", `text` is ready to show."""

    key: str
    text: str
    buttons: tuple[Button, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The bot asked for one slot and waits. Shown like Said; `location` asks the channel for its own
    location button, `phone` for its share-my-number button."""

    key: str
    text: str
    slot: str
    buttons: tuple[Button, ...] = ()
    urgent: bool = False
    location: bool = False
    phone: bool = False


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A case began. `ref` is the reference that Context.ref offered; `answers` holds earlier answers."""

    ref: str
    topic: str
    risk: str
    risk_kind: str | None
    answers: Mapping[str, Answer]
    district: str | None = None


@dataclass(frozen=True, slots=True)
class AnswersAdded:
    """The citizen told more about an open ticket (a phone to call, a place)."""

    ref: str
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class EntryAdded:
    """One line for the ticket's log. `by` is citizen, bot or system; `kind` as in contracts section 5."""

    ref: str
    by: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class RiskRaised:
    """An open ticket turned out to be more dangerous than it was."""

    ref: str
    risk: str
    risk_kind: str | None


@dataclass(frozen=True, slots=True)
class PageNeeded:
    """A human has to be found now. The turn writes the page; the pager finds it."""

    ref: str
    risk: str
    risk_kind: str | None


@dataclass(frozen=True, slots=True)
class HumanRequested:
    """The citizen wants a person and nothing burns: the ticket goes to the queue of the console."""

    ref: str


@dataclass(frozen=True, slots=True)
class HandoffStarted:
    """A responder has taken the case: from here on words are relayed and the bot is silent."""

    ref: str


@dataclass(frozen=True, slots=True)
class Relayed:
    """Words went from one human to the other. to="citizen" goes out by the channel; to="responder" is an
    entry that the console shows live. `by` is the roster key or "citizen"."""

    ref: str
    to: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class HandoffEnded:
    """The relay is over; the bot answers again."""

    ref: str


@dataclass(frozen=True, slots=True)
class WaitSet:
    """If nothing else comes until `due_at`, the stimulus timed_out with this token comes. One wait per
    citizen: a new one replaces the old one."""

    token: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class WaitCancelled:
    """Nothing is awaited any more."""


@dataclass(frozen=True, slots=True)
class LanguageChanged:
    """The citizen is spoken to in another language from now on."""

    language: str


@dataclass(frozen=True, slots=True)
class FlowStarted:
    """A flow began (for counts, never with words)."""

    flow: str


@dataclass(frozen=True, slots=True)
class FlowEnded:
    """A flow ended. `outcome` is the word that its end node gives, or stopped, abandoned, preempted."""

    flow: str
    outcome: str


Event = (
    Said
    | Asked
    | TicketOpened
    | AnswersAdded
    | EntryAdded
    | RiskRaised
    | PageNeeded
    | HumanRequested
    | HandoffStarted
    | Relayed
    | HandoffEnded
    | WaitSet
    | WaitCancelled
    | LanguageChanged
    | FlowStarted
    | FlowEnded
)
