"""A telephone on Twilio's other end: it rings, shows SMS, dials and texts.

By itself it waits for its owner; `behaviour` lets it answer for itself, for runs in which nobody plays the
responder: "busy", "fails", "no_answer", "voicemail", "acknowledges", or any async function of the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sandbox.gsm import encoding_of, segments_of
from sandbox.twilio_call import Call
from sandbox.twilio_words import Status

if TYPE_CHECKING:
    from sandbox.twilio import TwilioStandIn

Behaviour = (
    Literal["waits", "busy", "fails", "no_answer", "voicemail", "acknowledges"]
    | Callable[[Call], Awaitable[Any]]
)
OUTCOMES: dict[str, Status] = {"busy": "busy", "fails": "failed", "no_answer": "no-answer"}
STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}


@dataclass(eq=False)
class Sms:
    """One text message, either way; `status` moves as Twilio tells it."""

    sid: str
    account_sid: str
    to: str
    sender: str
    body: str
    created_at: float
    direction: Literal["outbound-api", "outbound-reply", "inbound"] = "outbound-api"
    status: str = "queued"
    status_url: str = ""
    service_sid: str = ""
    error_code: int | None = None
    expected: bool = False

    @property
    def encoding(self) -> str:
        """GSM-7 or UCS-2."""
        return encoding_of(self.body)

    @property
    def segments(self) -> int:
        """Parts it travels in."""
        return segments_of(self.body)

    def as_json(self) -> dict[str, Any]:
        """For the demo page and the control door."""
        return {"sid": self.sid, "from": self.sender, "text": self.body, "status": self.status}


class TwilioPhone:
    """One number. `sms_behaviour`: what becomes of texts to it ("silent": sent, and never heard of again)."""

    def __init__(self, twilio: TwilioStandIn, number: str) -> None:
        self.twilio = twilio
        self.number = number
        self.sms: list[Sms] = []
        self.calls: list[Call] = []
        self.behaviour: Behaviour = "waits"
        self.sms_behaviour: Literal["delivered", "undelivered", "silent"] = "delivered"
        self.stopped = False

    @property
    def ringing(self) -> list[Call]:
        """Calls that ring now."""
        return [call for call in self.calls if call.status == "ringing"]

    async def rings(self, within: float = 5.0) -> Call:
        """The next call that rings and was not returned before; AssertionError when none comes."""

        def look() -> Call | None:
            return next((call for call in self.ringing if not call.claimed), None)

        call = await self.twilio.record.until(look, within, lambda: f"the phone did not ring in {within} s")
        call.claimed = True
        return call

    async def busy(self, within: float = 5.0) -> Call:
        """The next call finds the line busy."""
        return await self._ends("busy", within)

    async def declines(self, within: float = 5.0) -> Call:
        """The next call is pushed away, which networks report as busy."""
        return await self._ends("busy", within)

    async def fails(self, within: float = 5.0) -> Call:
        """The next call cannot be put through."""
        return await self._ends("failed", within)

    async def no_answer(self, within: float = 5.0) -> Call:
        """The next call rings until its Timeout is over (which it is at once)."""
        return await self._ends("no-answer", within)

    async def voicemail(self, within: float = 5.0) -> Call:
        """The next call is answered by a machine; returns when it has hung up."""
        call = await self.rings(within)
        await call.voicemail()
        return call

    async def expects_sms(self, wanted: str | Callable[[Sms], bool] = "", within: float = 5.0) -> Sms:
        """The first text not expected before that fits; AssertionError shows what came instead."""

        def look() -> Sms | None:
            return next((sms for sms in self.sms if not sms.expected and _fits(sms, wanted)), None)

        def trouble() -> str:
            return f"no SMS with {wanted!r} within {within} s; got {[sms.body for sms in self.sms]}"

        sms = await self.twilio.record.until(look, within, trouble)
        sms.expected = True
        return sms

    async def dials(self, number: str) -> Call:
        """Call a number of the product; returns when its answer was heard as far as the first question."""
        line = self.twilio.lines[number]
        call = self.twilio.new_call(self.number, number, line.voice_order(), direction="inbound")
        self.calls.append(call)
        call.status = "ringing"
        return await call.pick_up()

    async def texts(self, body: str, to: str) -> Sms:
        """Send an SMS to a number of the product; replies by TwiML arrive as SMS."""
        self.stopped = body.strip().upper() in STOP_WORDS or (
            self.stopped and body.strip().upper() not in ("START", "YES", "UNSTOP")
        )
        return await self.twilio.receive_sms(self, body, to)

    def ring(self, call: Call) -> None:
        """For the stand-in: a call for this phone."""
        self.calls.append(call)
        call.ring()
        if self.behaviour != "waits":
            call.claimed = True
            self.twilio.spawn(self._behave(call))

    async def _behave(self, call: Call) -> None:
        if callable(self.behaviour):
            await self.behaviour(call)
        elif self.behaviour == "voicemail":
            await call.voicemail()
        elif self.behaviour == "acknowledges":
            await call.acknowledges()
        else:
            call.finish(OUTCOMES[self.behaviour])

    async def _ends(self, status: Status, within: float) -> Call:
        call = await self.rings(within)
        call.finish(status)
        await call.told()
        return call


def _fits(sms: Sms, wanted: str | Callable[[Sms], bool]) -> bool:
    return bool(wanted(sms)) if callable(wanted) else wanted in sms.body
