"""Work of a channel that nobody waits for: it never delays the start and is ended with the channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.channels.base import Misconfigured, SendError

log = structlog.get_logger()
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)  # seconds; the last one again and again


class Background:
    """A set of tasks."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins and remembers one task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancels all and waits for their end."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_failed", error=type(error).__name__)


async def until_done(what: str, channel: str, work: Callable[[], Awaitable[None]]) -> None:
    """Tries until it works. A provider that is not there delays the registration, not the start."""
    tries = 0
    while True:
        try:
            await work()
        except SendError as error:
            log.warning(
                f"{what}_failed", channel=channel, why=error.why, mend=isinstance(error, Misconfigured)
            )
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
        else:
            log.info(f"{what}_done", channel=channel)
            return
