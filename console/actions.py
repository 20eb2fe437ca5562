"""What people do to a case: take, reply, note, transfer, give back, close, review.

The deeds themselves are the desk's (escalation/desk.py): command line and console act through the same
code. Here a form becomes a call, and a refusal becomes a page that keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from console.case_page import MOST_LETTERS, CasePage
from console.glass import Glass
from console.visit import Visit, see_other
from escalation.desk import Desk, DeskError
from tickets.review import review

log = structlog.get_logger()
Deed = Callable[[str, str, Visit], Awaitable[None]]


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
            "release": self._release,
            "close": self._close,
        }
        base = "/console/tickets/{ref}"
        routes = [
            web.post(f"{base}/{name}", self.glass.changes(self._act(name, deed)))
            for name, deed in deeds.items()
        ]
        reviewing = self.glass.changes(self._act("review", self._review), role="supervisor")
        return [*routes, web.post(f"{base}/review", reviewing)]

    def _act(self, name: str, deed: Deed) -> Callable[[Visit], Awaitable[web.StreamResponse]]:
        async def act(visit: Visit) -> web.StreamResponse:
            ref = visit.request.match_info["ref"]
            try:
                await deed(ref, visit.somebody.name, visit)
            except Refused as refused:
                return await self._again(visit, name, visit.words.say(refused.key, n=MOST_LETTERS))
            except DeskError as error:
                return await self._again(visit, name, visit.words.say("said.refused", why=str(error)))
            log.info("console_deed", name=name, person=visit.somebody.name)
            return see_other(f"/console/tickets/{ref}")

        return act

    async def _again(self, visit: Visit, name: str, error: str) -> web.StreamResponse:
        draft = {name: visit.field("text")}
        return await self.case.page(visit, 409, error, draft)

    async def _take(self, ref: str, person: str, visit: Visit) -> None:
        await self.desk.take(ref, person)

    async def _reply(self, ref: str, person: str, visit: Visit) -> None:
        await self.desk.reply(ref, person, _words(visit))

    async def _note(self, ref: str, person: str, visit: Visit) -> None:
        await self.desk.note(ref, person, _words(visit))

    async def _transfer(self, ref: str, person: str, visit: Visit) -> None:
        to = visit.field("to")
        if to not in self.glass.roster.people:
            raise Refused("said.person")
        await self.desk.transfer(ref, person, to)

    async def _release(self, ref: str, person: str, visit: Visit) -> None:
        await self.desk.release(ref, person)

    async def _close(self, ref: str, person: str, visit: Visit) -> None:
        outcome = visit.field("outcome")
        if outcome not in visit.words.known("outcome"):
            raise Refused("said.word")
        await self.desk.close(ref, person, outcome)

    async def _review(self, ref: str, person: str, visit: Visit) -> None:
        now = self.glass.clock.now()
        await self.glass.db.write(lambda tx: review(tx, self.glass.record, ref, person, now))
        self.glass.bell.ring("console")


def _words(visit: Visit) -> str:
    text = visit.field("text")
    if not text:
        raise Refused("said.empty")
    if len(text) > MOST_LETTERS:
        raise Refused("said.too_long")
    return text
