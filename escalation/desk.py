"""What a responder does with a case: take, reply, note, close, release, transfer. Console and command line
call the same six functions; what cannot be done is one clear sentence.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.inbox import Inbox
from escalation.acknowledge import Acknowledgements, Outcome
from escalation.duty import Duty
from flows.session import StimulusKind
from store.ids import Ids
from store.schema import pages, people
from tickets.record import Record
from tickets.states import PageState, TicketStatus

MOST_TEXT = 4000
_OUTCOME = re.compile(r"[\w-]{1,40}")


class DeskError(Exception):
    """Something cannot be done. The message is one sentence for the person who tried."""


class Desk:
    """Acts for a named person, inside the caller's transaction; ring inbox, pager and console after it."""

    def __init__(
        self, record: Record, inbox: Inbox, ids: Ids, acknowledged: Acknowledgements, duty: Duty
    ) -> None:
        self._record = record
        self._inbox = inbox
        self._ids = ids
        self._acknowledged = acknowledged
        self._duty = duty

    def take(self, tx: Connection, ref: str, person: str, now: datetime) -> None:
        """Takes a paged or queued case. Taking what one has already changes nothing."""
        self._known(tx, person)
        ticket = self._open(tx, ref)
        page = self._acknowledged.live_page(tx, ticket.id)
        if page is not None and page.state != PageState.acknowledged:
            answer = self._acknowledged.acknowledge(tx, page.id, person, "console", now)
            if answer.outcome is Outcome.won:
                return
            raise DeskError(f"{answer.who} has {ticket.ref} already.")
        if ticket.assigned_to == person:
            return
        if ticket.assigned_to is not None:
            raise DeskError(f"{ticket.assigned_to} has {ticket.ref} already.")
        self._assign(tx, ticket, person, now)

    def reply(
        self, tx: Connection, ref: str, person: str, text: str, now: datetime, key: str | None = None
    ) -> None:
        """Says something to the citizen; a case that is nobody's is taken by it. `key` makes it once."""
        words = _words(text)
        ticket = self._mine(tx, ref, person, now)
        once = f"desk:{key or self._ids.new()}"
        body = {"by": person, "ref": ticket.ref, "text": words}
        self._inbox.put_inner(tx, ticket.citizen_id, StimulusKind.human_said, once, now, **body)

    def note(self, tx: Connection, ref: str, person: str, text: str, now: datetime) -> None:
        """Writes a line for colleagues; the citizen never sees it. Closed cases take notes too."""
        self._known(tx, person)
        self._record.add(tx, self._ticket(tx, ref).id, person, "note", _words(text), now)

    def close(self, tx: Connection, ref: str, person: str, outcome: str, now: datetime) -> None:
        """Closes a case with an outcome word; whatever it still owed is called off."""
        word = outcome.strip()
        if not _OUTCOME.fullmatch(word):
            raise DeskError("The outcome is one word of at most 40 letters, for example helped.")
        ticket = self._allowed(tx, ref, person)
        self._acknowledged.cancel(tx, ticket.id, now)
        if not self._record.close(tx, ticket.id, person, word, now):
            raise DeskError(f"{ticket.ref} is closed already.")
        self._tell(tx, ticket, StimulusKind.ticket_closed, person, now, text=word)

    def release(self, tx: Connection, ref: str, person: str, now: datetime) -> None:
        """Gives a case back: a paged one is paged again at once, any other one goes to the queue."""
        ticket = self._allowed(tx, ref, person)
        if ticket.assigned_to is None:
            raise DeskError(f"Nobody has {ticket.ref}.")
        page = self._acknowledged.live_page(tx, ticket.id)
        repaged = page is not None and self._acknowledged.give_back(tx, page, now)
        if not repaged:
            self._record.unassign(tx, ticket.id, now)
        self._record.add(tx, ticket.id, person, "handoff", f"given back by {person}", now)
        kind = StimulusKind.contact_missed if ticket.risk == "red" else StimulusKind.handoff_ended
        self._tell(tx, ticket, kind, person, now)

    def transfer(self, tx: Connection, ref: str, person: str, to: str, now: datetime) -> None:
        """Passes a case to a colleague, who has it from now on."""
        self._known(tx, to)
        ticket = self._allowed(tx, ref, person)
        page = self._acknowledged.live_page(tx, ticket.id)
        if page is not None and page.state == PageState.acknowledged:
            owned = pages.c.state == PageState.acknowledged
            tx.execute(pages.update().where(pages.c.id == page.id, owned).values(acknowledged_by=to))
        elif page is not None:
            self._acknowledged.acknowledge(tx, page.id, to, "console", now)
            return
        self._record.add(tx, ticket.id, person, "handoff", f"passed from {person} to {to}", now)
        self._assign(tx, ticket, to, now)

    def end_handoff(self, tx: Connection, ref: str, person: str, now: datetime) -> None:
        """The live talk is over and the bot answers again; the case stays with its person."""
        ticket = self._allowed(tx, ref, person)
        self._tell(tx, ticket, StimulusKind.handoff_ended, person, now)

    def _assign(self, tx: Connection, ticket: Row[Any], person: str, now: datetime) -> None:
        self._record.assign(tx, ticket.id, person, now)
        self._tell(tx, ticket, StimulusKind.page_acknowledged, person, now)

    def _tell(
        self, tx: Connection, ticket: Row[Any], kind: StimulusKind, person: str, now: datetime, **body: str
    ) -> None:
        key = f"desk:{self._ids.new()}"
        whole = {"by": person, "ref": ticket.ref, **body}
        self._inbox.put_inner(tx, ticket.citizen_id, kind, key, now, **whole)

    def _mine(self, tx: Connection, ref: str, person: str, now: datetime) -> Row[Any]:
        """The case, taken first if it is nobody's."""
        ticket = self._allowed(tx, ref, person)
        if ticket.assigned_to is None:
            self.take(tx, ref, person, now)
        return ticket

    def _allowed(self, tx: Connection, ref: str, person: str) -> Row[Any]:
        """The case, if this person may act on it."""
        self._known(tx, person)
        ticket = self._open(tx, ref)
        if ticket.assigned_to in (None, person) or self._supervises(tx, person):
            return ticket
        raise DeskError(f"{ticket.assigned_to} has {ticket.ref}; ask for a transfer.")

    def _open(self, tx: Connection, ref: str) -> Row[Any]:
        ticket = self._ticket(tx, ref)
        if ticket.status == TicketStatus.closed:
            raise DeskError(f"{ticket.ref} is closed already.")
        return ticket

    def _ticket(self, tx: Connection, ref: str) -> Row[Any]:
        ticket = self._record.by_ref(tx, ref)
        if ticket is None:
            raise DeskError(f"There is no ticket {ref.strip()[:20]}.")
        return ticket

    def _known(self, tx: Connection, person: str) -> None:
        if person not in self._duty.roster.people and _account(tx, person) is None:
            raise DeskError(f"Nobody is called {person[:40]} on the roster or among the accounts.")

    def _supervises(self, tx: Connection, person: str) -> bool:
        account = _account(tx, person)
        return self._duty.is_supervisor(person) or (account is not None and account.role == "supervisor")


def _account(tx: Connection, person: str) -> Row[Any] | None:
    active = (people.c.name == person, people.c.disabled_at.is_(None))
    return tx.execute(select(people).where(*active)).first()


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise DeskError("There is nothing to say: the text is empty.")
    if len(words) > MOST_TEXT:
        raise DeskError(f"The text is too long: at most {MOST_TEXT} letters.")
    return words
