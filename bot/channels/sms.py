"""SMS by Twilio, for those who have no messenger: choices are numbered lines, as no phone shows buttons.

Two-way SMS is rare in Greece, so a page is never acknowledged by it; this channel is for citizens only.
The Twilio client belongs to the whole process, which starts and stops it.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.channels import shape
from bot.channels.base import (
    Blocked,
    Limits,
    Misconfigured,
    Outgoing,
    Rejected,
    Retry,
    SendError,
    Unknown,
)
from bot.channels.webhook import Door, Refusals, keep, read_form
from bot.incoming import Arrival, Incoming, Left, Receipt
from bot.twilio import TwilioBusy, TwilioClient, TwilioError, TwilioNotReached, TwilioRefused
from flows.session import StimulusKind

NAME = "sms"
PATH = "/webhooks/twilio/sms"
STATUS_PATH = "/webhooks/twilio/sms-status"
UNREACHABLE_CODES = (21211, 21214, 21610, 21612, 21614, 21635)  # the number takes no text from us
_OUTCOMES = {"delivered": "delivered", "read": "seen", "undelivered": "failed", "failed": "failed"}
_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class SmsChannel:
    """The texts of one number."""

    name = NAME
    # Twilio takes 1,600 characters in all; nine numbered lines of forty find room behind the text.
    limits = Limits(text=1100, label=40, buttons=9, rate=1.0)

    def __init__(self, *, twilio: TwilioClient, public_url: str, door: Door, refusals: Refusals) -> None:
        self._twilio = twilio
        self._status_url = public_url + STATUS_PATH
        self._door, self._refusals = door, refusals

    def routes(self) -> list[web.RouteDef]:
        """The number's own webhook, and the receipts of what we sent."""
        return [web.post(PATH, self._text), web.post(STATUS_PATH, self._status)]

    async def start(self, *, listens: bool = True) -> None:
        """Nothing: the number's webhook is set in Twilio's console."""

    async def stop(self) -> None:
        """Nothing: the Twilio client is not ours."""

    async def answers(self) -> bool:
        """Twilio has no question that costs nothing and says enough: the text is simply sent again."""
        return True

    async def send(self, address: str, message: Outgoing) -> str:
        """Sends and returns the SID. Raises a SendError."""
        try:
            return await self._twilio.send_sms(
                to=address, body=as_text(message), status_callback=self._status_url
            )
        except TwilioError as error:
            raise sorted_error(error) from None

    async def _text(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        if form is None:
            return self._refusals.refuse(NAME)
        answer = web.Response(text=_EMPTY, content_type="text/xml")
        return await keep(self._door, understand(form), answer)

    async def _status(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        if form is None:
            return self._refusals.refuse(NAME)
        outcome = _OUTCOMES.get(form.get("MessageStatus", ""))
        sid, code = form.get("MessageSid", ""), form.get("ErrorCode", "")[:20]
        return await keep(self._door, Receipt(NAME, sid, outcome, code or None) if outcome and sid else None)

    async def _signed(self, request: web.Request) -> Mapping[str, str] | None:
        form = await read_form(request)
        signature = request.headers.get("X-Twilio-Signature")
        good = form is not None and self._twilio.verify(request.raw_path, form, signature)
        return form if good else None


def understand(form: Mapping[str, str]) -> Arrival:
    """What a text to our number means. Twilio itself handles STOP and START, and tells us so."""
    sender, sid = shape.text(form.get("From"), 64), shape.text(form.get("MessageSid"), 64)
    if not sender or not sid:
        raw = "\n".join(f"{name}={value}" for name, value in form.items())
        return shape.strange(NAME, raw.encode("utf-8", "replace"), "no sender or no SID")
    match form.get("OptOutType"):
        case "STOP":
            return Left(NAME, sender)
        case "START":
            return Incoming(NAME, sid, sender, StimulusKind.opened, message_id=sid)
    words, media = shape.text(form.get("Body")), shape.text(form.get("MediaUrl0"), 2000)
    if media:
        kind = "photo" if form.get("MediaContentType0", "").startswith("image/") else "document"
        return Incoming(
            NAME, sid, sender, StimulusKind.filed, words, message_id=sid, file_kind=kind, file_id=media
        )
    return Incoming(NAME, sid, sender, StimulusKind.said, words, message_id=sid)


def as_text(message: Outgoing) -> str:
    """The text with its choices as numbered lines; a question takes the number as an answer."""
    lines = [f"{number} {button.label}" for number, button in enumerate(message.buttons, 1)]
    return "\n".join([shape.text(message.text), *lines])


def sorted_error(error: TwilioError) -> SendError:
    """What a failure at Twilio means for the message."""
    match error:
        case TwilioBusy():
            return Retry("too many requests", error.after)
        case TwilioNotReached():
            return Retry("not reached")
        case TwilioRefused(config=True):
            return Misconfigured(f"code {error.code}")
        case TwilioRefused() if error.code in UNREACHABLE_CODES:
            return Blocked(f"code {error.code}")
        case TwilioRefused(permanent=True):
            return Rejected(f"code {error.code}")
        case TwilioRefused():
            return Retry(f"code {error.code}")
    return Unknown("twilio")
