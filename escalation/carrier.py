"""How a page reaches a phone: one call or one text, with the addresses by which the provider answers us.

Twilio stands behind it today; a second provider needs only these four verbs.
"""

from __future__ import annotations

from typing import Protocol

from bot.twilio import TwilioClient, TwilioError, TwilioNotReached, TwilioRefused
from escalation.attempts import ACCOUNT_REFUSED, NUMBER_REFUSED, Job
from escalation.duty import Duty
from escalation.gsm7 import Alphabet
from escalation.links import Links
from escalation.sms import page_text

CALL_PATH = "/webhooks/twilio/call"
TEXT_PATH = "/webhooks/twilio/page-sms"
SHORTEST_RING, LONGEST_RING = 5, 55  # seconds; longer only meets the voicemail


class Carrier(Protocol):
    """Reaches phones. All verbs raise TwilioError with the true name of what went wrong."""

    async def reach(self, job: Job, phone: str) -> str:
        """Calls or texts; returns the provider's id."""
        ...

    async def end(self, sid: str) -> None:
        """Silences a call that rings; one that is over is no error."""
        ...

    async def status(self, sid: str) -> str:
        """What has become of a call."""
        ...


class TwilioCarrier:
    """Reaches phones through Twilio."""

    def __init__(
        self, client: TwilioClient, links: Links, duty: Duty, public_url: str, alphabet: Alphabet
    ) -> None:
        self._client = client
        self._links = links
        self._duty = duty
        self._base = public_url.rstrip("/")
        self._alphabet = alphabet

    async def reach(self, job: Job, phone: str) -> str:
        """See Carrier."""
        if job.means == "voice":
            return await self._call(job, phone)
        body = page_text(job.ref, self._links.url(job.id), self._duty.language(job.person), self._alphabet)
        callback = f"{self._base}{TEXT_PATH}/{job.id}"
        return await self._client.send_sms(to=phone, body=body, status_callback=callback)

    async def end(self, sid: str) -> None:
        """See Carrier."""
        await self._client.end_call(sid, answered=False)

    async def status(self, sid: str) -> str:
        """See Carrier."""
        return await self._client.fetch_call(sid)

    async def _call(self, job: Job, phone: str) -> str:
        address = f"{self._base}{CALL_PATH}/{job.id}"
        rings = min(max(int(job.lasts.total_seconds()), SHORTEST_RING), LONGEST_RING)
        return await self._client.create_call(
            to=phone,
            url=f"{address}/start",
            status_callback=f"{address}/status",
            ring_seconds=rings,
            machine_detection=True,
        )


def reason(refused: TwilioRefused) -> str:
    """A refusal as a short word for the row."""
    if refused.config:
        return ACCOUNT_REFUSED
    return NUMBER_REFUSED if refused.permanent else f"refused_{refused.code or refused.status}"


def certainly_not_done(error: TwilioError) -> bool:
    """Whether repeating cannot reach anybody twice."""
    return isinstance(error, TwilioNotReached)
