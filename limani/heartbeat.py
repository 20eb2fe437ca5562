"""Tells an outside dead-man switch that all is well, and falls silent when it is not.

The address of LIMANI_HEARTBEAT_URL is asked once a minute, and only while this process is able to serve:
whoever watches it hears of a dead server, a dead loop, a dead store and a dead network alike, and of a role
that no process has any more.
"""

from __future__ import annotations

import aiohttp
import structlog

from limani.health import Health
from store.loop import Loop

log = structlog.get_logger()
EVERY = 60.0  # seconds
_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)


class Heartbeat:
    """One address, asked by GET."""

    def __init__(self, url: str, health: Health) -> None:
        self._url, self._health = url, health

    def loop(self) -> Loop:
        """The loop that the harbour master runs."""
        return Loop("heartbeat", self.beat, every=EVERY)

    async def beat(self) -> bool:
        """Asks the address if this process is able to serve."""
        state = await self._health.look()
        if not state.ready or state.lonely:
            log.error("heartbeat_withheld", count=len(state.wrong) + len(state.lonely))
            return False
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, http.get(self._url) as answer:
                log.debug("heartbeat", status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("heartbeat_not_heard", error=type(error).__name__)
        return False
