"""Parts that count what they do, around the parts that do it: channels, the carrier of pages, webhooks.

Nothing here decides anything; every answer and every error goes through as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.channels.base import (
    Blocked,
    Channel,
    Misconfigured,
    Moved,
    Outgoing,
    Rejected,
    Retry,
    SendError,
    Unknown,
)
from bot.twilio import TwilioBusy, TwilioError, TwilioNotReached, TwilioRefused
from escalation.attempts import Job
from escalation.carrier import Carrier
from store.clock import monotonic
from store.database import T
from store.figures import Figures

_OUTCOMES: dict[type[SendError], str] = {
    Retry: "retry",
    Unknown: "unknown",
    Blocked: "blocked",
    Rejected: "rejected",
    Misconfigured: "misconfigured",
    Moved: "moved",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MeasuredChannel:
    """A channel whose answers are counted."""

    def __init__(self, channel: Channel, figures: Figures) -> None:
        self._channel, self._figures = channel, figures
        self.name, self.limits = channel.name, channel.limits
        self.answers, self.routes = channel.answers, channel.routes
        self.start, self.stop = channel.start, channel.stop

    async def send(self, address: str, message: Outgoing) -> str | None:
        """See bot.channels.base.Channel."""
        begun, outcome = monotonic(), "bug"
        try:
            sent = await self._channel.send(address, message)
            outcome = "ok"
            return sent
        except SendError as error:
            outcome = _OUTCOMES.get(type(error), "unknown")
            raise
        finally:
            self._figures.count("provider_answers", self.name, outcome)
            self._figures.span(monotonic() - begun, "provider_seconds", self.name)


class MeasuredCarrier:
    """What Twilio says to pages."""

    def __init__(self, carrier: Carrier, figures: Figures) -> None:
        self._carrier, self._figures = carrier, figures

    async def reach(self, job: Job, phone: str) -> str:
        """See escalation.carrier.Carrier."""
        return await self._told(f"page_{job.means}", self._carrier.reach(job, phone))

    async def end(self, sid: str) -> None:
        """See escalation.carrier.Carrier."""
        await self._told("page_end", self._carrier.end(sid))

    async def status(self, sid: str) -> str:
        """See escalation.carrier.Carrier."""
        return await self._told("page_status", self._carrier.status(sid))

    async def _told(self, what: str, request: Awaitable[T]) -> T:
        begun, outcome = monotonic(), "bug"
        try:
            answer = await request
            outcome = "ok"
            return answer
        except TwilioError as error:
            outcome = _twilio(error)
            raise
        finally:
            self._figures.count("provider_answers", what, outcome)
            self._figures.span(monotonic() - begun, "provider_seconds", what)


def _twilio(error: TwilioError) -> str:
    match error:
        case TwilioRefused():
            return "misconfigured" if error.config else "rejected"
        case TwilioBusy() | TwilioNotReached():
            return "retry"
    return "unknown"


def count_webhooks(figures: Figures) -> Middleware:
    """A middleware that counts what webhooks were answered, by whose they are: a word of the path."""
    names: dict[str, str] = {}

    @web.middleware
    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "POST":
            return await handler(request)  # streams live for hours, pages are for people
        path = request.match_info.route.resource
        if (name := names.get(shape := path.canonical if path else "")) is None:
            name = names[shape] = _name(shape)
        if not name:
            return await handler(request)
        begun, status = monotonic(), 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            figures.count("webhooks", name, str(status))
            figures.span(monotonic() - begun, "webhook_seconds", name)

    return counted


def _name(path: str) -> str:
    """The channel of a route: /webhooks/twilio/sms is twilio, /chat/messages is web; others have none."""
    parts = path.split("/")
    if parts[1:2] == ["chat"]:
        return "web"
    return parts[2] if parts[1:2] == ["webhooks"] and len(parts) > 2 else ""
