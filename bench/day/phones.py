"""The people on call, and the telephone network between them and us: ring, pick up, be busy, press the keys,
write the first word, stay with the case.

A responder has one case at a time; whoever has one declines further calls, so that a queue of cases is a
queue for people. What happens later is put on the engine's calendar (`later`).
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection

from bench.day.numbers import Numbers
from bench.day.towns import TownSpec
from escalation.desk import DeskError

_KEY = re.compile(r"key=(\d)")
_ACTION = re.compile(r'<Gather[^>]* action="([^"]+)"')
_ATTEMPT = re.compile(r"/call/(\d+)/")
WORDS = ("Είμαι εδώ, είμαι κοινωνικός λειτουργός.", "Πείτε μου λίγα λόγια ακόμη.", "Μένω μαζί σας.")
Act = Callable[[], Awaitable[None]]


class Serving(Protocol):
    """What the phones need of a served town (bench.day.town.Town)."""

    spec: TownSpec
    app: Any
    raw: Any

    async def twilio_posts(self, url: str, form: Mapping[str, str]) -> str: ...


@dataclass(slots=True)
class Responder:
    """`until`: on a call or with a case until somebody says otherwise."""

    key: str
    taken: bool = False
    cases: int = 0
    worked: float = 0.0  # seconds with cases


@dataclass(slots=True)
class Call:
    """One call of ours. `over`: it does not ring and nobody speaks."""

    sid: str
    who: Responder
    url: str
    status_url: str
    rings_for: float
    at: float
    over: bool = False


class Phones:
    """Of one town. `later(at, act)` puts an act on the calendar; `now()` is the fake clock in seconds."""

    def __init__(
        self,
        spec: TownSpec,
        numbers: Numbers,
        seed: int,
        now: Callable[[], float],
        later: Callable[[float, Act], None],
    ) -> None:
        self._numbers, self._dice = numbers, Random(f"{seed}:{spec.number}")
        self._now, self._later = now, later
        keys = range(spec.on_duty + 1)
        self.people = {spec.phone(at): Responder(spec.person(at)) for at in keys}
        self._calls: dict[str, Call] = {}
        self.town: Serving | None = None
        self.calls: list[tuple[float, int]] = []  # when each call was asked for, and of which attempt
        self.rang: list[tuple[float, int]] = []  # when a phone rang
        self.texts = 0
        self.busy_calls = 0

    def carrier(self, method: str, path: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Twilio's answer to one request."""
        if path.endswith("/Messages.json"):
            self.texts += 1
            return {"sid": f"SM{self.texts:032d}"}
        if path.endswith("/Calls.json"):
            return self._begins(data)
        call = self._calls[path.rpartition("/")[2].removesuffix(".json")]
        if method == "POST":
            call.over = True
            return {"sid": call.sid, "status": "canceled"}
        return {"sid": call.sid, "status": "completed" if call.over else "ringing"}

    def _begins(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        who, now = self.people[str(data["To"])], self._now()
        sid = f"CA{len(self._calls) + 1:032d}"
        call = Call(sid, who, data["Url"], data["StatusCallback"], float(data["Timeout"]), now)
        self._calls[sid] = call
        self.calls.append((now, self._attempt(call)))
        if who.taken or self._dice.random() < float(self._numbers["busy_share"]):
            self.busy_calls += 1
            self._later(now + 2, lambda: self._ends(call, "busy"))
            return {"sid": sid, "status": "queued"}
        self.rang.append((now + 2, self._attempt(call)))
        seconds = self._rings()
        if seconds < call.rings_for and self._dice.random() < float(self._numbers["answers_share"]):
            self._later(now + 2 + seconds, lambda: self._picks_up(call))
        else:
            self._later(now + 2 + call.rings_for, lambda: self._ends(call, "no-answer"))
        return {"sid": sid, "status": "queued"}

    def _attempt(self, call: Call) -> int:
        match = _ATTEMPT.search(call.url)
        assert match is not None
        return int(match[1])

    def _rings(self) -> float:
        spans = self._numbers["ring_seconds"]
        low, high, _ = self._dice.choices(spans, [span[2] for span in spans])[0]
        return self._dice.uniform(low, high)

    async def _ends(self, call: Call, status: str) -> None:
        if not call.over:
            call.over = True
            await self._posts(call.status_url, CallSid=call.sid, CallStatus=status)

    async def _picks_up(self, call: Call) -> None:
        """Somebody who took another call meanwhile does not pick up."""
        if call.over:
            return
        if call.who.taken:
            await self._ends(call, "busy")
            return
        call.who.taken = True
        heard = await self._posts(call.url, CallSid=call.sid, CallStatus="in-progress", AnsweredBy="human")
        self._presses(call, heard, float(self._numbers["first_key_seconds"]))

    def _presses(self, call: Call, heard: str, after: float) -> None:
        """Follows what was announced; the line that asks nothing more is closed."""
        key, action = _KEY.search(heard), _ACTION.search(heard)
        if key is None or action is None:
            self._later(self._now() + 3, lambda: self._hangs_up(call))
            return
        self._later(self._now() + after, lambda: self._key(call, html.unescape(action[1]), key[1]))

    async def _key(self, call: Call, action: str, key: str) -> None:
        heard = await self._posts(action, CallSid=call.sid, Digits=key)
        self._presses(call, heard, float(self._numbers["second_key_seconds"]))

    async def _hangs_up(self, call: Call) -> None:
        call.over = True
        await self._posts(call.status_url, CallSid=call.sid, CallStatus="completed")
        ref = self._won(call)
        if ref is None:
            call.who.taken = False
            return
        call.who.cases += 1
        begun = self._now()
        first = self._lognormal("first_word_seconds", "case_spread")
        self._later(begun + first, lambda: self._says(call.who, ref, 0, begun))

    async def _says(self, who: Responder, ref: str, at: int, begun: float) -> None:
        """Some words, then the case is closed."""
        assert self.town is not None
        if not await self._desk(lambda tx, desk, now: desk.reply(tx, ref, who.key, WORDS[at], now)):
            self._free(who, begun)
            return
        if at + 1 < len(WORDS):
            self._later(self._now() + 90, lambda: self._says(who, ref, at + 1, begun))
            return
        spread = float(self._numbers["case_spread"])
        whole = (
            float(self._numbers["case_minutes"]) * 60 * math.exp(self._dice.gauss(-(spread**2) / 2, spread))
        )
        self._later(max(self._now() + 30, begun + whole), lambda: self._closes(who, ref, begun))

    async def _closes(self, who: Responder, ref: str, begun: float) -> None:
        await self._desk(lambda tx, desk, now: desk.close(tx, ref, who.key, "helped", now))
        self._free(who, begun)

    def _free(self, who: Responder, begun: float) -> None:
        who.taken = False
        who.worked += self._now() - begun

    async def _desk(self, deed: Callable[[Connection, Any, Any], None]) -> bool:
        """One deed in the console; False when the case is not ours any more."""
        assert self.town is not None
        app = self.town.app
        now = app.parts.clock.now()
        try:
            await app.parts.db.write(lambda tx: deed(tx, app.staff.desk, now))
        except DeskError:
            return False
        app.parts.bell.ring("inbox", "pager", "console")
        return True

    def _won(self, call: Call) -> str | None:
        """The reference of the case that this call brought its person."""
        assert self.town is not None
        query = (
            "SELECT t.ref FROM attempts a JOIN pages p ON p.id = a.page_id "
            "JOIN tickets t ON t.id = p.ticket_id WHERE a.id = ? "
            "AND a.state = 'acknowledged' AND p.acknowledged_by = a.person"
        )
        row = self.town.raw.execute(query, (self._attempt(call),)).fetchone()
        return None if row is None else str(row[0])

    async def _posts(self, url: str, **form: str) -> str:
        assert self.town is not None
        return await self.town.twilio_posts(url, form)

    def _lognormal(self, median: str, spread: str) -> float:
        return float(self._numbers[median]) * math.exp(self._dice.gauss(0, float(self._numbers[spread])))
