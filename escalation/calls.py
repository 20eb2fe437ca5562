"""Twilio's requests about our calls and texts: the script of a call, its keys, and what became of it.

Signatures are checked before anything else. A key is written down before it is answered; when the store
does not answer, the line is kept and asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import Connection, Row, select

from bot.twilio import TwilioClient, form_fields
from escalation.acknowledge import Acknowledgements, Outcome
from escalation.attempts import Attempts
from escalation.callbacks import CallNews, apply_call, apply_text, gave_up, is_machine, pick_up
from escalation.carrier import CALL_PATH, TEXT_PATH
from escalation.duty import Duty
from escalation.voice import MOST_PROMPTS, Script, Voices, silent_end
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.schema import attempts, pages, tickets
from tickets.states import AttemptState, PageState

log = structlog.get_logger()
MOST_HOLDS = 3
_TAKEN = frozenset({PageState.acknowledged, PageState.contacted})


@dataclass(frozen=True, slots=True)
class _Line:
    """What is known of a call: its attempt, its page, its ticket's reference."""

    attempt: int
    page: int
    person: str
    keys: str
    machine: bool
    page_state: str
    owner: str | None
    ref: str


@dataclass(frozen=True, slots=True)
class _Turn:
    """Which prompt this is, and whether any key was pressed in this call."""

    number: int
    heard: bool = False


class Calls:
    """The webhooks of pages. Paths are given to Twilio with each request of ours."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        known: Attempts,
        acknowledged: Acknowledgements,
        duty: Duty,
        client: TwilioClient,
        public_url: str,
        voices: Voices,
        refused: Callable[[str], object],
    ) -> None:
        self._db, self._bell, self._clock = db, bell, clock
        self._refused = refused
        self._attempts = known
        self._acknowledged = acknowledged
        self._duty = duty
        self._client = client
        self._base = public_url.rstrip("/")
        self._voices = voices

    def routes(self) -> list[web.RouteDef]:
        """What Twilio may ask."""
        one = CALL_PATH + "/{attempt:[0-9]{1,19}}"
        return [
            web.post(f"{one}/start", self._start),
            web.post(f"{one}/key", self._key),
            web.post(f"{one}/confirm", self._confirm),
            web.post(f"{one}/status", self._status),
            web.post(TEXT_PATH + "/{attempt:[0-9]{1,19}}", self._text),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        attempt, sid, now = _attempt(request), form.get("CallSid", ""), self._clock.now()
        answered_by = form.get("AnsweredBy", "")

        def work(tx: Connection) -> str:
            pick_up(tx, self._attempts, attempt, sid, now)
            if is_machine(answered_by):
                apply_call(tx, self._attempts, attempt, CallNews(sid, answered_by=answered_by), now)
            line = _line(tx, attempt)
            if line is None:
                return silent_end()
            first = self._script(line).ask(line.keys[0], self._to(line, "key", _Turn(1)))
            return self._over(line) or first

        return await self._answer(request, form, work)

    async def _key(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        attempt, turn, pressed = _attempt(request), _turn(request, form), form.get("Digits", "")

        def work(tx: Connection) -> str:
            line = _line(tx, attempt)
            if line is None:
                return silent_end()
            if self._over(line) or pressed != line.keys[0]:
                return self._over(line) or self._again(tx, line, turn, pressed, confirm=False)
            next_turn = _Turn(1, heard=True)
            return self._script(line).ask(line.keys[1], self._to(line, "confirm", next_turn), confirm=True)

        return await self._answer(request, form, work)

    async def _confirm(self, request: web.Request) -> web.Response:
        """The second key: the acknowledgement is durable before the person hears of it."""
        form = await self._form(request)
        attempt, turn, pressed = _attempt(request), _turn(request, form), form.get("Digits", "")
        now = self._clock.now()

        def work(tx: Connection) -> str:
            line = _line(tx, attempt)
            if line is None:
                return silent_end()
            if pressed != line.keys[1]:
                return self._over(line) or self._again(tx, line, turn, pressed, confirm=True)
            took = self._acknowledged.acknowledge(tx, line.page, line.person, "voice", now, attempt)
            return self._script(line).end(took.outcome, self._duty.name(took.who or ""))

        return await self._answer(request, form, work)

    def _again(self, tx: Connection, line: _Line, turn: _Turn, pressed: str, *, confirm: bool) -> str:
        """The same question once more; after the last one, or to a machine, we hang up."""
        script, key = self._script(line), line.keys[1 if confirm else 0]
        if line.machine or turn.number >= MOST_PROMPTS:
            gave_up(tx, line.attempt, silent=not turn.heard, now=self._clock.now())
            return script.end("bye")
        action = self._to(line, "confirm" if confirm else "key", _Turn(turn.number + 1, turn.heard))
        return script.ask(key, action, confirm=confirm, wrong=bool(pressed), hello=not pressed)

    async def _status(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        attempt, news, now = _attempt(request), _news(form), self._clock.now()
        await self._db.write(lambda tx: apply_call(tx, self._attempts, attempt, news, now))
        self._bell.ring("pager", "console")
        return web.Response(status=204)

    async def _text(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        attempt, now = _attempt(request), self._clock.now()
        sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
        lost = await self._db.write(lambda tx: apply_text(tx, self._attempts, attempt, sid, status, now))
        if lost:
            log.warning("page_text_lost", attempt=attempt, code=form.get("ErrorCode", "")[:8])
            self._bell.ring("pager", "console")
        return web.Response(status=204)

    async def _answer(
        self, request: web.Request, form: dict[str, str], work: Callable[[Connection], str]
    ) -> web.Response:
        try:
            document = await self._db.write(work)
        except StoreUnavailable:
            document = self._hold(request, form)
        self._bell.ring("inbox", "pager", "console")
        return _twiml(document)

    def _hold(self, request: web.Request, form: dict[str, str]) -> str:
        """The key that was pressed travels with the redirect, so that nobody has to press it again."""
        holds = _number(request, "hold")
        script = Script("el", "", self._voices)
        if holds >= MOST_HOLDS:
            return script.end("sorry")
        query = {**request.query, "hold": str(holds + 1), "digits": form.get("Digits", "")}
        return script.hold(str(request.rel_url.with_query(query)))

    def _over(self, line: _Line) -> str | None:
        """What to say when the page is not open any more."""
        if line.page_state in _TAKEN:
            word = Outcome.yours if line.owner == line.person else Outcome.taken
            return self._script(line).end(word, self._duty.name(line.owner or ""))
        return self._script(line).end(Outcome.over) if line.page_state == PageState.cancelled else None

    def _script(self, line: _Line) -> Script:
        return Script(self._duty.language(line.person), line.ref, self._voices)

    def _to(self, line: _Line, what: str, turn: _Turn) -> str:
        return f"{self._base}{CALL_PATH}/{line.attempt}/{what}?turn={turn.number}&heard={int(turn.heard)}"

    async def _form(self, request: web.Request) -> dict[str, str]:
        """The parameters, once the signature is good; otherwise 403 with nothing in it."""
        form = form_fields(await request.read())
        signature = request.headers.get("X-Twilio-Signature")
        if not self._client.verify(request.raw_path, form, signature):
            self._refused("twilio")
            raise web.HTTPForbidden(text="")
        known = dict(form)
        if not known.get("Digits") and request.query.get("digits"):
            known["Digits"] = request.query["digits"]
        return known


def _line(tx: Connection, attempt: int) -> _Line | None:
    query = (
        select(attempts, pages.c.state.label("page_state"), pages.c.acknowledged_by, tickets.c.ref)
        .join(pages, attempts.c.page_id == pages.c.id)
        .join(tickets, pages.c.ticket_id == tickets.c.id)
        .where(attempts.c.id == attempt)
    )
    row: Row[Any] | None = tx.execute(query).first()
    if row is None:
        return None
    machine = row.state == AttemptState.machine
    who = (row.id, row.page_id, row.person, row.keys, machine)
    return _Line(*who, row.page_state, row.acknowledged_by, row.ref)


def _attempt(request: web.Request) -> int:
    return int(request.match_info["attempt"])


def _number(request: web.Request, name: str) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 4 else 0


def _turn(request: web.Request, form: dict[str, str]) -> _Turn:
    heard = _number(request, "heard") == 1 or bool(form.get("Digits"))
    return _Turn(_number(request, "turn") or 1, heard)


def _news(form: dict[str, str]) -> CallNews:
    sequence = form.get("SequenceNumber", "")
    number = int(sequence) if sequence.isascii() and sequence.isdigit() else None
    return CallNews(form.get("CallSid", ""), form.get("CallStatus", ""), number, form.get("AnsweredBy", ""))


def _twiml(document: str) -> web.Response:
    return web.Response(text=document, content_type="text/xml", headers={"Cache-Control": "no-store"})
