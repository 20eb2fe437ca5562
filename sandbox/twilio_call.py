"""One telephone call: its states, what is heard, and what the person with the phone does.

Time stands still unless the stand-in has `seconds`: a call rings, and a prompt waits for a key, until the
test says what happens. With `seconds=1.0` timeouts run as in life.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.twilio_player import Fetch, Player
from sandbox.twilio_words import FINAL, Connection, Order, Status, Words
from sandbox.twiml import announced_keys

if TYPE_CHECKING:
    from sandbox.twilio import TwilioStandIn

SILENCE = ""
VOICEMAIL_PATIENCE = 12  # prompts that a machine lets pass before it hangs up


@dataclass(eq=False)
class Call:
    """Made by the stand-in; tests drive it with pick_up, presses, silence, hang_up."""

    twilio: TwilioStandIn
    sid: str
    to: str
    sender: str
    order: Order
    direction: Literal["outbound-api", "inbound"] = "outbound-api"
    status: Status = "queued"
    created_at: float = 0.0
    answered_at: float | None = None
    ended_at: float | None = None
    answered_by: str = ""
    heard: list[Words] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    connected: Connection | None = None
    prompt: list[Words] = field(default_factory=list)
    prompt_comments: list[str] = field(default_factory=list)
    claimed: bool = False

    def __post_init__(self) -> None:
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.settled = asyncio.Event()
        self.line_free = asyncio.Event()
        self.listening = False
        self._sequence = 0
        self._hooks: asyncio.Queue[tuple[str, Status]] = asyncio.Queue()
        self._told = asyncio.Event()
        self._told.set()
        self._player: asyncio.Task[None] | None = None
        self._bell: asyncio.TimerHandle | None = None
        self.twilio.spawn(self._tell())

    @property
    def account_sid(self) -> str:
        """Whose call it is."""
        return self.twilio.account_sid

    @property
    def phone_number(self) -> str:
        """The simulated phone at the other end of the line."""
        return self.sender if self.direction == "inbound" else self.to

    @property
    def over(self) -> bool:
        """Whether the call has ended, in whatever way."""
        return self.status in FINAL

    @property
    def duration(self) -> int:
        """Whole seconds from the answer to the end."""
        return int((self.ended_at or 0) - (self.answered_at or self.ended_at or 0))

    @property
    def words(self) -> str:
        """Everything heard so far, in one text."""
        return " ".join(words.text for words in self.heard)

    @property
    def announced_key(self) -> str:
        """The first key that the current document asks for, by comment or words; AssertionError if none."""
        keys = announced_keys(self._asked())
        assert keys, f"no key was announced; heard: {self.words!r}"
        return keys[0]

    async def pick_up(self, answered_by: str = "human") -> Call:
        """Answer; returns when a key is awaited, the line is put through, or the call is over."""
        assert self.status == "ringing", f"the call is {self.status}"
        self.answered_at, self.status = self.twilio.record.clock(), "in-progress"
        self._silence_bell()
        detected = answered_by if self.order.machine_detection else ""
        self.answered_by = detected
        self._note("picked_up", answered_by=answered_by)
        self._callback("answered", "in-progress")
        sync = bool(detected) and not self.order.async_amd_url
        extra = {"AnsweredBy": detected} if sync else {}
        if detected and self.order.async_amd_url:
            self.twilio.spawn(self._tell_machine_detection(detected))
        self.play(Fetch(self.order.url, self.order.method, extra, self.order.twiml))
        await self.settled.wait()
        return self

    async def presses(self, keys: str) -> bool:
        """Press keys one after the other; False when nobody listened to the last one."""
        heard = False
        for key in keys:
            heard = self.listening and not self.over
            self.pressed.append(key)
            self._note("key", key=key, heard=heard)
            if heard:
                await self._feed(key)
        return heard

    async def presses_announced_key(self) -> bool:
        """Press the key that the current prompt asks for."""
        return await self.presses(self.announced_key)

    async def acknowledges(self) -> None:
        """Pick up and press whatever key is asked for, until the product hangs up or the line breaks."""
        if self.status == "ringing":
            await self.pick_up()
        while self.listening and not self.over and announced_keys(self._asked()):
            await self.presses_announced_key()

    async def silence(self) -> None:
        """Let the current prompt time out."""
        self._note("silence")
        if self.listening and not self.over:
            await self._feed(SILENCE)

    async def hang_up(self) -> None:
        """Put the phone down; returns when the product was told."""
        self.finish("completed", by="person")
        await self.told()

    async def connection_ends(self) -> None:
        """The other side of a connected call has hung up; the TwiML goes on behind its Dial."""
        assert self.connected is not None, "the call is not connected to anybody"
        self.settled.clear()
        self.line_free.set()
        await self.settled.wait()

    async def voicemail(self) -> None:
        """A machine answers, presses nothing, hears everything and hangs up."""
        verdict = "machine_start"
        if self.order.machine_detection == "DetectMessageEnd":
            verdict = "machine_end_beep"
        await self.pick_up(verdict)
        for _ in range(VOICEMAIL_PATIENCE):
            if not self.listening or self.over:
                break
            await self.silence()
        await self.hang_up()

    def ring(self) -> None:
        """For the stand-in: the other phone begins to ring."""
        self._callback("initiated", "queued")
        self.status = "ringing"
        self._callback("ringing", "ringing")
        if self.twilio.seconds is not None:
            wait = self.order.ring_seconds * self.twilio.seconds
            self._bell = asyncio.get_running_loop().call_later(wait, self.finish, "no-answer")
        self._note("rings", sender=self.sender, url=self.order.url)

    def finish(self, status: Status, by: str = "network") -> None:
        """End the call once; later ends change nothing."""
        if self.over:
            return
        self._silence_bell()
        self.status, self.ended_at, self.listening = status, self.twilio.record.clock(), False
        if self._player is not None and self._player is not asyncio.current_task():
            self._player.cancel()
        self._note("ended", status=status, by=by)
        self._callback("completed", status)
        self.settled.set()

    def play(self, fetch: Fetch) -> None:
        """Play this TwiML from now on in place of what is played."""
        if self._player is not None:
            self._player.cancel()
        self.settled.clear()
        self.connected, self.listening = None, False
        self._player = self.twilio.spawn(Player(self, fetch).run())

    async def told(self) -> None:
        """Wait until all status callbacks so far were sent and answered (or failed)."""
        await self._told.wait()

    def as_json(self) -> dict[str, Any]:
        """For the demo page and the control door."""
        return {
            "sid": self.sid,
            "to": self.to,
            "from": self.sender,
            "status": self.status,
            "listening": self.listening,
            "heard": [{"text": w.text, "language": w.language, "type": w.kind} for w in self.heard],
            "pressed": list(self.pressed),
            "connected": self.connected.name if self.connected else None,
        }

    def base_params(self) -> dict[str, str]:
        """The parameters that every webhook of this call carries."""
        return {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "From": self.sender,
            "To": self.to,
            "Caller": self.sender,
            "Called": self.to,
            "Direction": self.direction,
            "CallStatus": self.status,
        }

    def note(self, kind: str, **details: object) -> None:
        """An event of this call."""
        self._note(kind, **details)

    def _note(self, kind: str, **details: object) -> None:
        self.twilio.happened(kind, self.phone_number, call=self.sid, **details)

    def _asked(self) -> list[str]:
        """What the current document says, comments included."""
        return [*self.prompt_comments, *(words.text for words in self.prompt)]

    async def _feed(self, key: str) -> None:
        self.settled.clear()
        self.keys.put_nowait(key)
        await self.settled.wait()

    def _silence_bell(self) -> None:
        if self._bell is not None:
            self._bell.cancel()

    def _callback(self, event: str, status: Status) -> None:
        if self.order.status_url and event in self.order.events:
            self._told.clear()
            self._hooks.put_nowait((event, status))

    async def _tell(self) -> None:
        """Status callbacks leave one after the other, in order."""
        while True:
            event, status = await self._hooks.get()
            shown = {"initiated": "initiated"}.get(event, status)
            params = {
                **self.base_params(),
                "CallStatus": shown,
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(self._sequence),
                "Timestamp": self.twilio.timestamp(),
            }
            if event == "completed":
                params |= {"CallDuration": str(self.duration), "Duration": str(-(-self.duration // 60))}
            if event in ("answered", "completed") and self.answered_by and not self.order.async_amd_url:
                params["AnsweredBy"] = self.answered_by
            self._sequence += 1
            answer = await self.twilio.ask(self.order.status_url, params, self.order.status_method)
            if not answer.ok:
                self._note("callback_failed", status=shown, answer=answer.status)
            if self._hooks.empty():
                self._told.set()

    async def _tell_machine_detection(self, verdict: str) -> None:
        params = {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "AnsweredBy": verdict,
            "MachineDetectionDuration": "2300",
        }
        await self.twilio.ask(self.order.async_amd_url, params)
