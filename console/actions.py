"""What people do to a case: take, reply, note, transfer, hand back, close, review.

The deeds themselves are the desk's (escalation/desk.py): command line and console act through the same
code. Here a form becomes a call, and a refusal becomes a page that keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from sqlalchemy import Connection

from console.case_page import REF, TO_THE_QUEUE, CasePage
from console.glass import Glass
from console.visit import Handler, Visit, see_other
from escalation.desk import MOST_TEXT, Desk, DeskError
from tickets.review import review

log = structlog.get_logger()
Deed = Callable[[Connection, str, str, Visit], None]


class Refused(Exception):
    """A form that cannot be meant like this; carries the key of the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(slots=True)
class Actions:
    """The forms of a case page."""

    glass: Glass
    case: CasePage
    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        """One address for each deed."""
        deeds: dict[str, Deed] = {
            "take": self._take,
            "reply": self._reply,
            "note": self._note,
            "transfer": self._transfer,
            "handback": self._hand_back,
            "close": self._close,
        }
        base = f"/console/tickets/{REF}"
        routes = [
            web.post(f"{base}/{name}", self.glass.changes(self._act(name, deed)))
            for name, deed in deeds.items()
        ]
        reviewing = self.glass.changes(self._act("review", self._review), role="supervisor")
        return [*routes, web.post(f"{base}/review", reviewing)]

    def _act(self, name: str, deed: Deed) -> Handler:
        async def act(visit: Visit) -> web.StreamResponse:
            ref, person = visit.request.match_info["ref"], visit.somebody.name
            try:
                await self.glass.db.write(lambda tx: deed(tx, ref, person, visit))
            except Refused as refused:
                return await self._again(visit, name, visit.words.say(refused.key, n=MOST_TEXT))
            except DeskError:  # its sentence is English; what the case is now says it in any language
                return await self._again(visit, name, visit.words.say("said.changed"))
            self.glass.bell.ring("inbox", "pager", "console")
            log.info("console_deed", name=name, person=person)
            return see_other(f"/console/tickets/{ref}")

        return act

    async def _again(self, visit: Visit, name: str, error: str) -> web.StreamResponse:
        return await self.case.page(visit, 409, error, {name: visit.field("text")})

    def _take(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        """A supervisor may take a case from somebody; everybody else takes what is nobody's."""
        row = self.glass.record.by_ref(tx, ref)
        if row is not None and row.assigned_to not in (None, person) and visit.somebody.supervises:
            self.desk.transfer(tx, ref, person, person, self.glass.clock.now())
        else:
            self.desk.take(tx, ref, person, self.glass.clock.now())

    def _reply(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        """Each form has a key of its own: a reply that is sent twice by a bad line is said once."""
        once = visit.field("once")[:40]
        key = f"{person}:{ref}:{once}" if once else None
        self.desk.reply(tx, ref, person, _words(visit), self.glass.clock.now(), key)

    def _note(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        self.desk.note(tx, ref, person, _words(visit), self.glass.clock.now())

    def _transfer(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        to, now = visit.field("to"), self.glass.clock.now()
        if to == TO_THE_QUEUE:
            self.desk.release(tx, ref, person, now)
        elif to in self.glass.roster.people:
            self.desk.transfer(tx, ref, person, to, now)
        else:
            raise Refused("said.person")

    def _hand_back(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        self.desk.end_handoff(tx, ref, person, self.glass.clock.now())

    def _close(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        outcome = visit.field("outcome")
        if outcome not in visit.words.known("outcome"):
            raise Refused("said.word")
        self.desk.close(tx, ref, person, outcome, self.glass.clock.now())

    def _review(self, tx: Connection, ref: str, person: str, visit: Visit) -> None:
        review(tx, self.glass.record, ref, person, self.glass.clock.now())


def _words(visit: Visit) -> str:
    text = visit.field("text")
    if not text:
        raise Refused("said.empty")
    if len(text) > MOST_TEXT:
        raise Refused("said.too_long")
    return text
