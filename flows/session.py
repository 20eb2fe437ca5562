"""Where a citizen is, and what may move him or her on.

A Session is plain data: it is written to JSON after every step and read again before the next one.
A Stimulus is what the world brings; a Context is what the engine may know of the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

from flows.events import Answer, Event


class StimulusKind(StrEnum):
    """Everything that can move a conversation."""

    said = "said"  # text, or a caption
    tapped = "tapped"  # a button; `button` is its value
    edited = "edited"  # a new version of an earlier text
    located = "located"  # latitude and longitude
    filed = "filed"  # a photo, voice note, document or sticker; text = caption
    shared_phone = "shared_phone"  # the channel's own share-my-number; text = the number
    opened = "opened"  # the chat was opened or subscribed, nothing said yet
    timed_out = "timed_out"  # a wait came due; `token` says which
    page_acknowledged = "page_acknowledged"  # a responder took the case; by = roster key
    page_exhausted = "page_exhausted"  # every step and round passed without a human
    contact_missed = "contact_missed"  # the responder who took it did not write or call in time
    human_said = "human_said"  # a responder's word; by = roster key
    handoff_ended = "handoff_ended"  # the responder gave the talk back to the bot
    ticket_closed = "ticket_closed"  # the case was closed; text = outcome word


class Understood(Protocol):
    """The part of a reading that conversations use; nlu.reading.Reading fits it as it is."""

    @property
    def language(self) -> str: ...
    @property
    def script(self) -> str: ...
    @property
    def intent(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def risk(self) -> str: ...
    @property
    def risk_kind(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One thing that happened to a conversation. Texts always come with what was understood of them."""

    kind: StimulusKind
    text: str = ""
    understood: Understood | None = None
    button: str | None = None
    by: str | None = None
    ref: str | None = None
    token: str | None = None
    place: tuple[float, float] | None = None
    file_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A thing that a citizen may be told. `sure` = confirmed by the municipality and not expired;
    `dialable` = a verified phone, which may be given as the way to ask. `other` holds the value in other
    languages: one step may change the language, so a fact comes in all of them."""

    value: str
    sure: bool
    dialable: bool = False
    other: Mapping[str, str] = field(default_factory=dict)

    def says(self, language: str) -> str:
        """The value in a language, where there is one."""
        return self.other.get(language, self.value)


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket of this citizen, for "what became of my request"."""

    ref: str
    topic: str
    status: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may know besides session and stimulus. Nothing here is looked up by the engine."""

    now: datetime
    ref: str
    facts: Mapping[str, Fact]
    on_call: bool
    office_open: bool
    start_above: float = 0.4  # an intent this sure begins its flow when nothing is under way
    switch_above: float = 0.6  # ... and this sure interrupts a form, after asking
    weather: str | None = None  # "cold", "heat", "storm" while the supervisor has switched it on
    tickets: tuple[OpenTicket, ...] = ()


class CasePhase(StrEnum):
    """How far the search for a human has come."""

    queued = "queued"  # in the console's queue, nobody is rung
    ringing = "ringing"  # somebody is being rung
    joined = "joined"  # a responder has the case: words are relayed, the bot is silent
    exhausted = "exhausted"  # nobody answered, or nobody is on call; the citizen knows


@dataclass(frozen=True, slots=True)
class Case:
    """The open ticket that this conversation is about."""

    ref: str
    topic: str
    risk: str
    risk_kind: str | None
    phase: CasePhase


@dataclass(frozen=True, slots=True)
class Parked:
    """A form that was left in the middle, to come back to."""

    flow: str
    node: str
    answers: Mapping[str, Answer]
    trail: tuple[str, ...]
    topic: str | None = None  # the intent that started it
    ref: str | None = None  # the ticket that it opened or adds to
    returning: str | None = None  # "flow.node" up to which a change is being replayed
    returns: bool = False  # left by `enter`: comes back by itself when the entered flow ends


@dataclass(frozen=True, slots=True)
class Session:
    """Where a citizen is. `flow` None = nothing under way."""

    language: str = "el"
    language_chosen: bool = False  # by the switch: a reading's language no longer changes it
    greeted: bool = False
    flow: str | None = None
    node: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    parked: tuple[Parked, ...] = ()
    case: Case | None = None
    proposed: str | None = None  # the flow that a recognised new request would start, once confirmed
    returning: str | None = None  # "flow.node" up to which the flow is replayed after one changed answer
    misses: int = 0  # answers in a row that could not be used at this node
    wait: str | None = None  # token of the wait that is set
    topic: str | None = None  # the intent that started the flow under way
    ref: str | None = None  # the ticket that the flow under way opened or adds to
    steps: int = 0  # counts stimuli: makes wait tokens unique


_NAMES = tuple(one.name for one in fields(Session))
_PLACES = {name: at for at, name in enumerate(_NAMES)}
_VALUES = attrgetter(*_NAMES)


def changed(session: Session, changes: Mapping[str, Any]) -> Session:
    """`dataclasses.replace`, at a third of its cost: a step changes its session half a dozen times."""
    values = list(_VALUES(session))
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return Session(*values)


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one stimulus."""

    session: Session
    events: tuple[Event, ...]
