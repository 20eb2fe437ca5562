"""PTB's client over aiohttp, with time-outs that hold and failures sorted before PTB sees (and logs) them.

Importing `telegram` takes half a second, so this module is imported when the server already listens.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.channels.base import Retry, SendError, Unknown
from bot.channels.shape import Odd, parsed
from bot.channels.telegram_errors import sorted_failure
from store.points import reach

for _noisy in ("telegram", "httpx", "httpcore"):  # at INFO they would write addresses with the token
    logging.getLogger(_noisy).setLevel(logging.WARNING)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NO_PREVIEW = _json({"is_disabled": True})


class Failed(TelegramError):
    """Carries our own sorted error through PTB, which lets only its own exceptions pass."""

    def __init__(self, error: SendError) -> None:
        super().__init__("failed")
        self.error = error


class AioRequest(BaseRequest):
    """One attempt per request; nothing is repeated here."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds that a whole request may take."""
        return self._total

    async def initialize(self) -> None:
        """Opens the pool of connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession()

    async def shutdown(self) -> None:
        """Closes it."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """PTB's door: one request within the time given at construction."""
        return await self.ask(url, request_data.json_parameters if request_data else {}, self._total)

    async def ask(self, url: str, form: Mapping[str, str], total: float) -> tuple[int, bytes]:
        """POSTs a form; raises Failed for everything but a readable success within `total` seconds."""
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
            raise Failed(Retry("not reached")) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Failed(Unknown(type(error).__name__)) from None
        reach("telegram.answered")
        return status, _checked(status, body, retry_after)


def _checked(status: int, body: bytes, retry_after: str | None) -> bytes:
    if not 200 <= status < 300:
        raise Failed(sorted_failure(status, body, retry_after))
    try:
        good = "result" in parsed(body)
    except Odd:
        good = False
    if not good:
        raise Failed(Unknown("unreadable answer"))
    return body


class Api:
    """The few Bot API methods that we use. Each raises a SendError and nothing else."""

    def __init__(self, token: str, api_url: str, *, total: float = 8.0) -> None:
        self._url = f"{api_url}/bot{token}"
        self._requests = (AioRequest(total), AioRequest(total))
        asking, polling = self._requests
        self._bot = Bot(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=asking,
            get_updates_request=polling,
        )

    async def close(self) -> None:
        """Closes connections."""
        for request in self._requests:
            await request.shutdown()

    async def send(self, chat: int, text: str, markup: Any) -> str:
        """sendMessage without any markup language and without previews; returns the message id.

        Not by PTB's `send_message`: making objects of an answer of which one number is read costs more than
        our whole turn. The request is the same one."""
        wishes = {
            "chat_id": str(chat),
            "text": text,
            "reply_markup": _json(markup),
            "link_preview_options": _NO_PREVIEW,
        }
        asking = self._requests[0]
        with _Sorting():
            _, body = await asking.ask(f"{self._url}/sendMessage", wishes, asking.read_timeout)
            return str(int(json.loads(body)["result"]["message_id"]))

    async def get_me(self) -> None:
        """getMe, which changes nothing."""
        with _Sorting():
            await self._bot.get_me()

    async def answer_tap(self, query: str) -> None:
        """Ends the little clock on a tapped button."""
        with _Sorting():
            await self._bot.answer_callback_query(query)

    async def set_webhook(self, url: str, secret: str, kinds: tuple[str, ...]) -> None:
        """Tells Telegram where updates go, and which."""
        with _Sorting():
            await self._bot.set_webhook(url, secret_token=secret, allowed_updates=kinds)

    async def drop_webhook(self) -> None:
        """Without this getUpdates is refused. What waits goes on waiting."""
        with _Sorting():
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def get_updates(self, offset: int, seconds: int, kinds: tuple[str, ...]) -> list[Any]:
        """Raw updates from `offset` on, which confirms all before it; waits up to `seconds`."""
        wishes = {"offset": str(offset), "timeout": str(seconds), "allowed_updates": json.dumps(kinds)}
        polling = self._requests[1]
        with _Sorting():
            # Not by PTB: it would make objects of them, and raise for one that it does not know.
            _, body = await polling.ask(f"{self._url}/getUpdates", wishes, seconds + polling.read_timeout)
        found = json.loads(body)["result"]
        return found if isinstance(found, list) else []


class _Sorting:
    """Lets out SendErrors only. A success that PTB cannot read leaves the outcome unknown."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Failed):
            raise error.error from None
        if isinstance(error, Exception):
            raise Unknown(type(error).__name__) from None
