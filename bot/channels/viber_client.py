"""Viber's REST API: three calls, real time-outs, and its statuses sorted by what they mean.

HTTP says 200 to everything; the truth is the `status` inside. The token travels in a header, and no
exception or log line of ours holds a request.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from bot.channels.base import Blocked, Misconfigured, Rejected, Retry, SendError, Unknown
from bot.channels.shape import Odd, number, parsed
from store.points import reach

TIMEOUT = aiohttp.ClientTimeout(total=8, sock_connect=3)
BAD_WEBHOOK, TOO_MANY, TOO_OLD = 1, 12, 13
_BLOCKED = {5: "not registered", 6: "not subscribed"}
_CONFIG = {
    2: "token refused",
    7: "account blocked",
    8: "account not found",
    9: "account suspended",
    10: "no webhook set",
    15: "not authorised",
}
_REJECTED = {3, 4, 11, 13, 14, 16, 17, 18, 19, 20}


class ViberStatus(Rejected):
    """A refusal that the channel may still answer with something simpler."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class ViberClient:
    """One bot account. Each call raises a SendError and nothing else."""

    def __init__(self, token: str, api_url: str) -> None:
        self._headers = {"X-Viber-Auth-Token": token, "Content-Type": "application/json"}
        self._api_url = api_url
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send_message(self, message: dict[str, Any]) -> str | None:
        """send_message; returns the message token."""
        token = number((await self._post("send_message", message)).get("message_token"))
        return None if token is None else str(token)

    async def get_account_info(self) -> None:
        """get_account_info, which changes nothing."""
        await self._post("get_account_info", {})

    async def set_webhook(self, url: str, events: tuple[str, ...]) -> None:
        """set_webhook; Viber calls the address before it answers, so the server must be listening."""
        wish = {"url": url, "event_types": list(events), "send_name": True, "send_photo": False}
        await self._post("set_webhook", wish)

    async def _post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        reach("viber.request")
        try:
            async with self._session.post(
                f"{self._api_url}/{call}",
                data=json.dumps(body, ensure_ascii=False).encode(),
                headers=self._headers,
                allow_redirects=False,
            ) as response:
                status, answer = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Retry("not reached") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unknown(type(error).__name__) from None
        reach("viber.answered")
        return sorted_answer(status, answer)


def sorted_answer(http_status: int, body: bytes) -> dict[str, Any]:
    """The answer if it is a success; raises what any other one means."""
    try:
        answer = parsed(body)
    except Odd:
        answer = {}
    status = number(answer.get("status"))
    if http_status == 200 and status == 0:
        return answer
    raise _failure(http_status, status)


def _failure(http_status: int, status: int | None) -> SendError:
    if http_status == 429:
        return Retry("too many requests")
    if http_status in (401, 403, 404):
        return Misconfigured(f"http {http_status}")
    if http_status != 200:
        return Rejected(f"http {http_status}") if 400 <= http_status < 500 else Unknown(f"http {http_status}")
    return Unknown("unreadable answer") if status is None else _refusal(status)


def _refusal(status: int) -> SendError:
    if status in _BLOCKED:
        return Blocked(_BLOCKED[status])
    if status in _CONFIG:
        return Misconfigured(_CONFIG[status])
    if status in _REJECTED:
        return ViberStatus(status)
    # 12 (too many) and all that nobody has documented: refused, so certainly not sent.
    return Retry("too many requests" if status == TOO_MANY else f"status {status}")
