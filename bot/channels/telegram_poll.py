"""Long polling, where no public address exists.

Asking for the updates after N tells Telegram to forget those up to N. So N moves only when the store has
them: a crash in between brings them once more, and their keys make that harmless.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from bot.channels import shape
from bot.channels.telegram_updates import KINDS, NAME

log = structlog.get_logger()
HOLD = 25  # seconds that Telegram may hold a request open
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)


class Source(Protocol):
    """The part of the Bot API that polling needs."""

    async def drop_webhook(self) -> None: ...
    async def get_updates(self, offset: int, seconds: int, kinds: tuple[str, ...]) -> list[Any]: ...


class Poll:
    """Fetches updates and gives each one's raw body to `take`, in order."""

    def __init__(self, source: Source, take: Callable[[bytes], Awaitable[None]]) -> None:
        self._source = source
        self._take = take
        self._offset = 0
        self._alone = False

    async def run(self) -> None:
        """Until cancelled. Another poller of the same bot (409), a dead provider and a dead store are all
        waited out."""
        failures = 0
        while True:
            try:
                await self.once()
                failures = 0
            except Exception as error:  # a bug of ours must not end the only way in
                log.warning("poll_failed", channel=NAME, error=type(error).__name__)
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1

    async def once(self) -> None:
        """One request. Raises SendError, or StoreUnavailable with the rest left at Telegram."""
        if not self._alone:
            await self._source.drop_webhook()
            self._alone = True
        for update in await self._source.get_updates(self._offset, HOLD, KINDS):
            await self._take(json.dumps(update).encode())
            number = shape.number(shape.dig(update, "update_id"))
            if number is not None:
                self._offset = number + 1
