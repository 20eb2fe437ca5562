"""Telegram: updates in by webhook or by long polling, messages out by plain requests (see telegram_http).

PTB gives the client for the webhook's own affairs, nothing else: its webhook server would answer 200 before
anything is kept, and our outbox already knows order, retries and rates.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress

from aiohttp import web

from bot.channels import shape
from bot.channels.background import Background, until_done
from bot.channels.base import Limits, Outgoing, Rejected, Retry, SendError, Unknown
from bot.channels.telegram_http import Api
from bot.channels.telegram_keyboard import keyboard
from bot.channels.telegram_poll import Poll
from bot.channels.telegram_updates import KINDS, NAME, Update, understand
from bot.channels.webhook import Door, Refusals, keep, read_body

PATH = "/webhooks/telegram"
PUBLIC_API = "https://api.telegram.org"
WARM_UP = 0.5  # seconds after the start: overdue pages leave before PTB is loaded for the webhook


class TelegramChannel:
    """One bot. With `polling` there is no webhook, so `secret` may be None."""

    name = NAME

    def __init__(
        self,
        *,
        token: str,
        secret: str | None,
        api_url: str,
        public_url: str,
        door: Door,
        refusals: Refusals,
        polling: bool = False,
        rate: float = 30.0,
        chat_rate: float = 1.0,
    ) -> None:
        self.limits = Limits(text=4096, label=40, buttons=30, rate=rate, chat_rate=chat_rate)
        self._token, self._secret = token, secret
        self._api_url, self._public_url = api_url, public_url
        self._door, self._refusals = door, refusals
        self._polling = polling
        self._background = Background()
        self._api = Api(token, api_url)

    def routes(self) -> list[web.RouteDef]:
        """The webhook; none while polling."""
        return [] if self._polling else [web.post(PATH, self._webhook)]

    async def start(self, *, listens: bool = True) -> None:
        """Returns at once; the rest happens beside."""
        if listens:
            self._background.start(self._begin())

    async def stop(self) -> None:
        """Ends polling, closes connections."""
        await self._background.stop()
        await self._api.close()

    async def send(self, address: str, message: Outgoing) -> str:
        """Sends and returns the message id. Raises a SendError."""
        chat = shape.number(address)
        if chat is None:
            raise Rejected("not a chat id")
        return await self._api.send(chat, shape.text(message.text), keyboard(message))

    async def answers(self) -> bool:
        """By getMe."""
        try:
            await self._api.get_me()
        except (Retry, Unknown):
            return False
        except SendError:
            return True
        return True

    async def _webhook(self, request: web.Request) -> web.Response:
        if not self._authentic(request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")):
            return self._refusals.refuse(NAME)
        raw, whole = await read_body(request)
        update = understand(raw) if whole else Update(shape.strange(NAME, raw, "too large"))
        answer = await keep(self._door, update.arrival)
        if answer.status == 200:
            self._answer_tap(update)
        return answer

    def _authentic(self, given: str) -> bool:
        secret = self._secret or ""
        return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())

    async def _take(self, raw: bytes) -> None:
        """One polled update. Raises StoreUnavailable."""
        update = understand(raw)
        if update.arrival is not None:
            await self._door.accept(update.arrival)
        self._answer_tap(update)

    def _answer_tap(self, update: Update) -> None:
        """Nobody waits for it, and a failure harms nobody: the tap itself is kept."""
        if update.tap is not None:
            self._background.start(self._end_clock(update.tap))

    async def _end_clock(self, query: str) -> None:
        with suppress(SendError):
            await self._api.answer_tap(query)

    async def _begin(self) -> None:
        await asyncio.sleep(WARM_UP)
        if self._polling:
            await Poll(self._api, self._take).run()
        elif self._public_url.startswith("https://") or self._api_url != PUBLIC_API:
            url, secret = self._public_url + PATH, self._secret or ""
            await until_done("webhook", NAME, lambda: self._api.set_webhook(url, secret, KINDS))
