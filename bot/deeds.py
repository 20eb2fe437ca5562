"""Makes the events of a step true, inside the turn's transaction. One event, one deed.

Nothing here decides anything: who says what to whom is the engine's business. What every turn writes (its
words, its session, its wait) is gathered over the turns of a transaction and written together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection

from bot.message import Lane, Message
from flows import events as told
from flows.events import Event
from flows.session import Session
from tickets.record import Case, Record


@dataclass(slots=True)
class Gathered:
    """What the turns of one transaction write together, and whom to wake after the commit."""

    messages: list[tuple[int, Message]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[int, Session] = field(default_factory=dict)
    waits: dict[int, tuple[str, datetime] | None] = field(default_factory=dict)  # None = cancelled
    rung: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Deeds:
    """One turn's hands. `ticket` is the ticket that the conversation is about, once there is one."""

    tx: Connection
    record: Record
    gathered: Gathered
    citizen: int
    channel: str
    language: str
    now: datetime
    ticket: int | None = None

    def do(self, events: tuple[Event, ...]) -> None:
        """All of them, in order."""
        for event in events:
            self._do(event)

    def _do(self, event: Event) -> None:
        match event:
            case told.Said() | told.Asked():
                self._say(event)
            case told.TicketOpened():
                self._open(event)
            case told.AnswersAdded():
                self.record.add_answers(self.tx, self._at(event.ref), event.answers, self.now)
            case told.EntryAdded():
                self._add(self._at(event.ref), event.by, event.kind, event.text)
            case told.RiskRaised():
                self.record.raise_risk(self.tx, self._at(event.ref), event.risk, event.risk_kind, self.now)
            case told.PageNeeded():
                self.record.need_page(self.tx, self._at(event.ref), self.now)
                self.gathered.rung.add("pager")
            case told.HumanRequested():
                self.record.want_human(self.tx, self._at(event.ref))
            case told.HandoffStarted():
                self._note(event.ref, "handoff", "started")
            case told.HandoffEnded():
                self._note(event.ref, "handoff", "ended")
            case told.Relayed():
                self._relay(event)
            case told.WaitSet():
                self.gathered.waits[self.citizen] = (event.token, event.due_at)
            case told.WaitCancelled():
                self.gathered.waits[self.citizen] = None
            case told.LanguageChanged():
                self.language = event.language
            case told.FlowStarted() | told.FlowEnded():
                pass  # counted by the turn; nothing to keep
            case _:
                assert_never(event)

    def _say(self, event: told.Said | told.Asked) -> None:
        lane = Lane.urgent if event.urgent else Lane.ordinary
        asked = isinstance(event, told.Asked)
        message = Message(
            event.key,
            event.text,
            event.buttons,
            location=asked and event.location,  # type: ignore[union-attr]
            phone=asked and event.phone,  # type: ignore[union-attr]
            lane=lane,
            ticket=self.ticket,
        )
        self.gathered.messages.append((self.citizen, message))
        if self.ticket is not None:
            self._add(self.ticket, "bot", "said", event.text)

    def _open(self, event: told.TicketOpened) -> None:
        case = Case(
            event.ref,
            self.citizen,
            event.topic,
            event.risk,
            event.risk_kind,
            self.channel,
            self.language,
            event.answers,
            event.district,
        )
        self.ticket = self.record.open(self.tx, case, self.now)

    def _relay(self, event: told.Relayed) -> None:
        ticket = self._at(event.ref)
        self._add(ticket, event.by, "said", event.text)
        if event.to == "citizen":
            message = Message("human", event.text, lane=Lane.urgent, ticket=ticket)
            self.gathered.messages.append((self.citizen, message))
            self.record.first_human_word(self.tx, ticket, self.now)
            self.gathered.rung.add("pager")

    def _note(self, ref: str, kind: str, text: str) -> None:
        self._add(self._at(ref), "system", kind, text)

    def _add(self, ticket: int, by: str, kind: str, text: str) -> None:
        """One more line of a ticket's log."""
        self.gathered.entries.append(self.record.line(ticket, by, kind, text, self.now))

    def _at(self, ref: str) -> int:
        """The ticket that an event speaks of."""
        ticket = self.record.id_of(self.tx, ref)
        if ticket is None:
            raise LookupError("an event names a ticket that is not there")
        self.ticket = ticket
        return ticket
