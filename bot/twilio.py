"""Twilio for calls and texts: four requests of its REST API, and the SDK's check of signatures.

Whether to repeat a page is the pager's decision; here every outcome only gets its true name (TwilioError).
TwiML is written by those who know what is to be said.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.twilio_http import (
    TwilioBusy,
    TwilioError,
    TwilioHttp,
    TwilioNotReached,
    TwilioRefused,
    TwilioUnknown,
)

__all__ = [
    "TwilioBusy",
    "TwilioClient",
    "TwilioError",
    "TwilioNotReached",
    "TwilioRefused",
    "TwilioUnknown",
    "form_fields",
]

CALL_EVENTS = ["initiated", "ringing", "answered", "completed"]
OVER_CODES = (20404, 21220)  # no such call (any more); the call is not in progress
DEFAULT_PORTS = {"https": 443, "http": 80}


class TwilioClient:
    """One account and one number of ours. `public_url` is how Twilio reaches us; signatures are made over it.

    `auth_token_old` is accepted in signatures while the account's token is being changed."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        auth_token_old: str | None = None,
        from_number: str,
        api_url: str,
        public_url: str,
    ) -> None:
        self._from = from_number
        self._bases = port_variants(public_url)
        self._validators = [RequestValidator(token) for token in (auth_token, auth_token_old) if token]
        self._http = TwilioHttp(f"{api_url}/2010-04-01/Accounts/{account_sid}", account_sid, auth_token)

    async def stop(self) -> None:
        """Closes connections."""
        await self._http.close()

    async def create_call(
        self, *, to: str, url: str, status_callback: str, ring_seconds: int, machine_detection: bool
    ) -> str:
        """Starts a call that plays the TwiML at `url`; returns its SID. Raises TwilioError.

        Machine detection runs beside the prompt, so that a human never waits for it: its verdict comes as
        a request of its own to `status_callback`, with AnsweredBy and without CallStatus."""
        detection = {
            "MachineDetection": "Enable",
            "AsyncAmd": "true",
            "AsyncAmdStatusCallback": status_callback,
            "AsyncAmdStatusCallbackMethod": "POST",
        }
        order = {
            "To": to,
            "From": self._from,
            "Url": url,
            "Method": "POST",
            "Timeout": ring_seconds,
            "StatusCallback": status_callback,
            "StatusCallbackEvent": CALL_EVENTS,
            "StatusCallbackMethod": "POST",
            **(detection if machine_detection else {}),
        }
        return _word(await self._http.ask("POST", "Calls.json", order), "sid")

    async def end_call(self, sid: str, *, answered: bool) -> None:
        """Ends a call; one that is over already is no error. Raises TwilioError.

        "canceled" does not touch a call that was answered a moment ago, "completed" does: then it is said
        as well."""
        with suppress(_Over):
            status = await self._end(sid, "completed" if answered else "canceled")
            if status == "in-progress":
                await self._end(sid, "completed")

    async def fetch_call(self, sid: str) -> str:
        """Its status now: queued, ringing, in-progress, completed, busy, failed, no-answer or canceled."""
        return _word(await self._http.ask("GET", f"Calls/{sid}.json"), "status")

    async def send_sms(self, *, to: str, body: str, status_callback: str | None = None) -> str:
        """Sends a text; returns its SID. Raises TwilioError."""
        callback = {"StatusCallback": status_callback} if status_callback else {}
        order = {"To": to, "From": self._from, "Body": body, **callback}
        return _word(await self._http.ask("POST", "Messages.json", order), "sid")

    async def fetch_sms(self, sid: str) -> str:
        """The text's status now: queued, sending, sent, delivered, undelivered, failed."""
        return _word(await self._http.ask("GET", f"Messages/{sid}.json"), "status")

    def verify(self, path_qs: str, form: Mapping[str, Any], signature: str | None) -> bool:
        """Whether Twilio signed this form request to us. `path_qs` is the request's target as it came
        (`request.raw_path`). Never raises; the Host header, which anybody may write, plays no part."""
        if not signature or "bodySHA256=" in path_qs:
            return False  # signed JSON bodies are for products that we do not use
        given = signature.encode("utf-8", "replace")
        good = False
        for expected in self._signatures(path_qs, form):
            good |= hmac.compare_digest(expected.encode(), given)
        return good

    def _signatures(self, path_qs: str, form: Mapping[str, Any]) -> list[str]:
        """With both tokens, and with and without the port: Twilio does either."""
        try:
            return [
                validator.compute_signature(base + path_qs, form)
                for validator in self._validators
                for base in self._bases
            ]
        except (TypeError, ValueError):
            return []  # a file in a form, or text that is no UTF-8: Twilio sends neither

    async def _end(self, sid: str, status: str) -> str:
        try:
            return _word(await self._http.ask("POST", f"Calls/{sid}.json", {"Status": status}), "status")
        except TwilioRefused as refused:
            if refused.code in OVER_CODES:
                raise _Over from None
            raise


class _Over(Exception):
    """The call has ended by itself."""


def _word(resource: Mapping[str, Any], name: str) -> str:
    """A 2xx that does not hold it leaves us not knowing what was done."""
    word = resource.get(name)
    if not isinstance(word, str) or not word:
        raise TwilioUnknown
    return word


def port_variants(public_url: str) -> list[str]:
    """The address with and without its port, as Twilio may have signed it."""
    parts = urlsplit(public_url.rstrip("/"))
    name, _, _ = parts.netloc.rpartition(":") if parts.port else (parts.netloc, "", "")
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
    return [parts._replace(netloc=netloc).geturl() for netloc in (name, f"{name}:{port}")]


def form_fields(body: bytes) -> MultiDict[str]:
    """The fields of a form body; none for anything else, which no signature then fits."""
    try:
        return MultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return MultiDict()
