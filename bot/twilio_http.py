"""The HTTP client under Twilio's SDK: real time-outs, one attempt, and failures sorted by what they mean.

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
    """What the SDK reads of an answer."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status_code < 400


class TwilioHttp:
    """Fits the SDK's HttpClient by shape alone: inheriting would import `requests` at our start."""

    is_async = True

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Reply:
        """One attempt. Raises a TwilioError for everything but a 2xx; `timeout` is ours, not the SDK's."""
        login = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
        reach("twilio.request")
        try:
            async with self._open().request(
                method,
                url,
                params=_form(params) or None,
                data=urlencode(_form(data)) if data else None,
                headers={**(headers or {}), **login},
                allow_redirects=False,
            ) as response:
                reply = Reply(response.status, await response.text(errors="replace"), response.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise TwilioNotReached from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise TwilioUnknown from None
        reach("twilio.answered")
        return sorted_reply(reply)

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


def _form(given: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Pairs, because Twilio's lists (StatusCallbackEvent) are one field repeated."""
    pairs = []
    for name, value in (given or {}).items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values]
    return pairs


def _code(text: str) -> int:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return 0
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, int) else 0


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
