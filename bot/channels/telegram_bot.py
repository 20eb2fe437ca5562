"""PTB's Bot with a request backend of ours: what is asked of Telegram once in a while.

Imported when the server already listens (see telegram_http).
"""

from __future__ import annotations

import logging
from typing import Any

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.channels.base import SendError, Unknown
from bot.channels.telegram_http import AioRequest

for _noisy in ("telegram", "httpx", "httpcore"):  # at INFO they would write addresses with the token
    logging.getLogger(_noisy).setLevel(logging.WARNING)


class Failed(TelegramError):
    """Carries our own sorted error through PTB, which lets only its own exceptions pass."""

    def __init__(self, error: SendError) -> None:
        super().__init__("failed")
        self.error = error


class Backend(BaseRequest):
    """PTB's door to our connections; they are opened and closed by whoever owns them."""

    def __init__(self, asking: AioRequest) -> None:
        self._asking = asking

    @property
    def read_timeout(self) -> float:
        """Seconds that a whole request may take."""
        return self._asking.total

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        """Nothing to do."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        """One request within our own time."""
        form = request_data.json_parameters if request_data else {}
        try:
            return await self._asking.ask(url, form, self._asking.total)
        except SendError as error:
            raise Failed(error) from None


class Office:
    """The webhook's own affairs. Each method raises a SendError and nothing else."""

    def __init__(self, token: str, api_url: str, asking: AioRequest) -> None:
        backend = Backend(asking)
        self._bot = Bot(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=backend,
            get_updates_request=backend,
        )

    async def set_webhook(self, url: str, secret: str, kinds: tuple[str, ...]) -> None:
        """setWebhook."""
        with _Sorting():
            await self._bot.set_webhook(url, secret_token=secret, allowed_updates=kinds)

    async def drop_webhook(self) -> None:
        """deleteWebhook, with nothing dropped that waits."""
        with _Sorting():
            await self._bot.delete_webhook(drop_pending_updates=False)


class _Sorting:
    """Lets out SendErrors only. A success that PTB cannot read leaves the outcome unknown."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Failed):
            raise error.error from None
        if isinstance(error, Exception):
            raise Unknown(type(error).__name__) from None
