"""Viber: signed callbacks in, our own small client out.

The viberbot package is not used: it blocks, has no time-outs and logs the token. Somebody who has opened
the chat and written nothing may be sent exactly one message; it goes through the outbox like every other,
because the callback's answer would stand outside the turn's order and have no receipt. What comes after
it is refused (status 6) and waits until the citizen writes.
"""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from bot.channels.background import Background, until_done
from bot.channels.base import Limits, Outgoing, Retry, SendError, Unknown
from bot.channels.shape import text
from bot.channels.viber_callbacks import NAME, RECEIPTS, understand
from bot.channels.viber_client import TOO_OLD, ViberClient, ViberStatus
from bot.channels.viber_keyboard import keyboard
from bot.channels.webhook import Door, Refusals, keep, read_body

PATH = "/webhooks/viber"
PUBLIC_API = "https://chatapi.viber.com/pa"
EVENTS = (*RECEIPTS, "subscribed", "unsubscribed", "conversation_started")
SHARING_VERSION = 3  # the Viber API level that can share a place or a number
SENDER_LIMIT = 28


class ViberChannel:
    """One bot account; `sender` is the name that citizens see."""

    name = NAME
    # Viber takes 7,000 characters, but also no more than 30 kB in all: 4,500 emoji and a keyboard fit.
    limits = Limits(text=4500, label=40, buttons=24, rate=20.0, chat_rate=10.0)

    def __init__(
        self, *, token: str, api_url: str, public_url: str, sender: str, door: Door, refusals: Refusals
    ) -> None:
        self._token = token.encode()
        self._api_url, self._public_url = api_url, public_url
        self._sender = sender[:SENDER_LIMIT]
        self._door, self._refusals = door, refusals
        self._client = ViberClient(token, api_url)
        self._background = Background()

    def routes(self) -> list[web.RouteDef]:
        """The webhook."""
        return [web.post(PATH, self._webhook)]

    async def start(self, *, listens: bool = True) -> None:
        """Registers the webhook beside, where we have an address that Viber reaches."""
        if not listens:
            return
        if self._public_url.startswith("https://") or self._api_url != PUBLIC_API:
            url = self._public_url + PATH
            self._background.start(until_done("webhook", NAME, lambda: self._client.set_webhook(url, EVENTS)))

    async def stop(self) -> None:
        """Closes connections."""
        await self._background.stop()
        await self._client.close()

    async def answers(self) -> bool:
        """By get_account_info."""
        try:
            await self._client.get_account_info()
        except (Retry, Unknown):
            return False
        except SendError:
            return True
        return True

    async def send(self, address: str, message: Outgoing) -> str | None:
        """Sends and returns the message token. Raises a SendError."""
        try:
            return await self._client.send_message(self._body(address, message, plain=False))
        except ViberStatus as refused:
            if refused.status != TOO_OLD or not (message.location or message.phone):
                raise
        # An old Viber shows no share buttons; the question can be answered in words as well.
        return await self._client.send_message(self._body(address, message, plain=True))

    def _body(self, address: str, message: Outgoing, *, plain: bool) -> dict[str, object]:
        shares = (message.location or message.phone) and not plain
        buttons = keyboard(message, plain=plain)
        return {
            "receiver": address,
            "min_api_version": SHARING_VERSION if shares else 1,
            "sender": {"name": self._sender},
            "type": "text",
            "text": text(message.text),
            **({"keyboard": buttons} if buttons else {}),
        }

    async def _webhook(self, request: web.Request) -> web.Response:
        raw, whole = await read_body(request)
        given = request.headers.get("X-Viber-Content-Signature", "")
        if not whole or not hmac.compare_digest(given.encode("utf-8", "replace"), self._sign(raw)):
            return self._refusals.refuse(NAME)
        return await keep(self._door, understand(raw))

    def _sign(self, raw: bytes) -> bytes:
        return hmac.new(self._token, raw, hashlib.sha256).hexdigest().encode()
