"""The Bot API over aiohttp: time-outs that hold, one attempt, failures sorted by what they mean.

What is asked for all day is asked for here, in plain requests. What is asked for once in a while (webhooks)
goes through PTB's Bot over the same connections: importing `telegram` takes 0.4 s and 16 MiB, so it is loaded
when the server already listens, and no message waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

from bot.channels.base import Retry, Unknown
from bot.channels.shape import Odd, parsed
from bot.channels.telegram_errors import sorted_failure
from store.points import reach

if TYPE_CHECKING:
    from bot.channels.telegram_bot import Office

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NO_PREVIEW = _json({"is_disabled": True})


class AioRequest:
    """One attempt per request; nothing is repeated here."""

    def __init__(self, total: float) -> None:
        self.total = total  # seconds that a whole request may take
        self._session: aiohttp.ClientSession | None = None

    async def initialize(self) -> None:
        """Opens the pool of connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession()

    async def shutdown(self) -> None:
        """Closes it."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, url: str, form: Mapping[str, str], total: float) -> tuple[int, bytes]:
        """POSTs a form; raises a SendError for everything but a readable success within
        `total` seconds."""
        await self.initialize()
        assert self._session is not None
        reach("telegram.request")
        try:
            async with self._session.post(
                url,
                data=urlencode(form),
                headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Limani"},
                timeout=aiohttp.ClientTimeout(total=total, sock_connect=3),
                allow_redirects=False,
            ) as response:
                status, body = response.status, await response.read()
                retry_after = response.headers.get("Retry-After")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Retry("not reached") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unknown(type(error).__name__) from None
        reach("telegram.answered")
        return status, _checked(status, body, retry_after)


def _checked(status: int, body: bytes, retry_after: str | None) -> bytes:
    if not 200 <= status < 300:
        raise sorted_failure(status, body, retry_after)
    try:
        good = "result" in parsed(body)
    except Odd:
        good = False
    if not good:
        raise Unknown("unreadable answer")
    return body


class Api:
    """The few Bot API methods that we use. Each raises a SendError and nothing else."""

    def __init__(self, token: str, api_url: str, *, total: float = 8.0) -> None:
        self._token, self._api_url = token, api_url
        self._asking, self._polling = AioRequest(total), AioRequest(total)
        self._office: Office | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Closes connections."""
        for request in (self._asking, self._polling):
            await request.shutdown()

    async def send(self, chat: int, text: str, markup: Any) -> str:
        """sendMessage without any markup language and without previews; returns the message id."""
        wishes = {
            "chat_id": str(chat),
            "text": text,
            "reply_markup": _json(markup),
            "link_preview_options": _NO_PREVIEW,
        }
        sent = await self._ask("sendMessage", wishes)
        try:
            return str(int(sent["message_id"]))
        except (KeyError, TypeError, ValueError):
            raise Unknown("no message id") from None

    async def get_me(self) -> None:
        """getMe, which changes nothing."""
        await self._ask("getMe", {})

    async def answer_tap(self, query: str) -> None:
        """Ends the little clock on a tapped button."""
        await self._ask("answerCallbackQuery", {"callback_query_id": query})

    async def set_webhook(self, url: str, secret: str, kinds: tuple[str, ...]) -> None:
        """Tells Telegram where updates go, and which."""
        await (await self._bot()).set_webhook(url, secret, kinds)

    async def drop_webhook(self) -> None:
        """Without this getUpdates is refused. What waits goes on waiting."""
        await (await self._bot()).drop_webhook()

    async def get_updates(self, offset: int, seconds: int, kinds: tuple[str, ...]) -> list[Any]:
        """Raw updates from `offset` on, which confirms all before it; waits up to `seconds`."""
        wishes = {"offset": str(offset), "timeout": str(seconds), "allowed_updates": json.dumps(kinds)}
        # Not by PTB: it would make objects of them, and raise for one that it does not know.
        found = await self._ask("getUpdates", wishes, self._polling, seconds)
        return found if isinstance(found, list) else []

    async def _ask(
        self, method: str, wishes: Mapping[str, str], by: AioRequest | None = None, longer: float = 0.0
    ) -> Any:
        by = by or self._asking
        _, body = await by.ask(f"{self._api_url}/bot{self._token}/{method}", wishes, longer + by.total)
        return json.loads(body)["result"]

    async def _bot(self) -> Office:
        async with self._opening:
            if self._office is None:
                opened = await asyncio.to_thread(_office, self._token, self._api_url, self._asking)
                self._office = opened
        return self._office


def _office(token: str, api_url: str, asking: AioRequest) -> Office:
    from bot.channels.telegram_bot import Office

    return Office(token, api_url, asking)
