"""Requests to Twilio's REST API: real time-outs, one attempt, and failures sorted by what they mean.

A call or a text is not idempotent at Twilio, so "certainly not done" and "perhaps done" must not be mixed
up: the first is tried again freely, the second only where doing it twice is harmless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from store.points import reach

# The SDK's own client ignores its time-out and would hold a page for five minutes.
TIMEOUT = aiohttp.ClientTimeout(total=8, sock_connect=3)

# Our own account, sender or addresses are wrong: every page fails until a human mends it.
CONFIG_CODES = frozenset(
    {20003, 20005, 20006, 20008, 21205, 21210, 21212, 21213, 21603, 21606, 21609, 21626, 21659, 21660}
)
# This number, or this text, will never be taken.
PERMANENT_CODES = frozenset(
    {13224, 21201, 21211, 21214, 21215, 21216, 21217, 21401, 21408}
    | {21602, 21604, 21610, 21612, 21614, 21617, 21635}
)


_FORM = "application/x-www-form-urlencoded"


class TwilioError(Exception):
    """Something did not work at Twilio. Messages hold codes only, never a number or a text."""


class TwilioRefused(TwilioError):
    """Twilio said no: nothing was done. `permanent`: never for this number or text. `config`: our account,
    sender or address is refused, so that everything fails until it is mended. `code` 0 = none given."""

    def __init__(self, code: int, status: int, *, permanent: bool, config: bool) -> None:
        super().__init__(f"twilio refused {code} {status}")
        self.code = code
        self.status = status
        self.permanent = permanent
        self.config = config


class TwilioBusy(TwilioError):
    """Too many requests: this one was never processed. `after` = seconds to wait, None = not said."""

    def __init__(self, after: float | None) -> None:
        super().__init__("twilio busy")
        self.after = after


class TwilioUnknown(TwilioError):
    """The request was written and no good answer came: it may or may not have been done."""


class TwilioNotReached(TwilioError):
    """No connection came about: certainly nothing was done."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is read of an answer."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TwilioHttp:
    """Not the SDK's client: that one takes 0.4 s and 20 MiB to load, and ignores its time-out."""

    def __init__(self, base: str, user: str, password: str) -> None:
        self._base = base
        self._login = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, path: str, form: Mapping[str, object] | None = None
    ) -> Mapping[str, Any]:
        """One attempt at a resource below the account; its JSON. Raises a TwilioError for everything but a
        readable 2xx."""
        reach("twilio.request")
        try:
            async with self._open().request(
                method,
                f"{self._base}/{path}",
                data=urlencode(_form(form)) if form else None,
                headers={"Content-Type": _FORM, **self._login} if form else self._login,
                allow_redirects=False,
            ) as response:
                reply = Reply(response.status, await response.text(errors="replace"), response.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise TwilioNotReached from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise TwilioUnknown from None
        reach("twilio.answered")
        return _resource(sorted_reply(reply).text)

    async def close(self) -> None:
        """Gives the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def sorted_reply(reply: Reply) -> Reply:
    """The reply if it is a 2xx; raises what any other one means."""
    if 200 <= reply.status_code < 300:
        return reply
    if reply.status_code == 429:
        raise TwilioBusy(_seconds(reply.headers.get("Retry-After", "")))
    if not 400 <= reply.status_code < 500 or reply.status_code == 408:
        raise TwilioUnknown
    code = _code(reply.text)
    raise TwilioRefused(
        code,
        reply.status_code,
        permanent=code in PERMANENT_CODES,
        config=code in CONFIG_CODES or reply.status_code in (401, 403),
    )


def _form(given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Pairs, because Twilio's lists (StatusCallbackEvent) are one field repeated."""
    pairs = []
    for name, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values]
    return pairs


def _resource(text: str) -> Mapping[str, Any]:
    """Raises TwilioUnknown: something was done, and nobody can tell what."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise TwilioUnknown from None
    if not isinstance(document, dict):
        raise TwilioUnknown
    return document


def _code(text: str) -> int:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return 0
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, int) else 0


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
