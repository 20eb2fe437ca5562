"""How fast a channel may be spoken to: a token bucket in which urgent messages jump the queue.

Limits of one chat are not enforced here: messages to one address go one after the other anyway, and the
provider answers 429 with its own pause when a burst is too long.
"""

from __future__ import annotations

import asyncio

from store.clock import monotonic


class Pace:
    """`rate` messages a second, a second's worth of burst."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._tokens = max(1.0, rate)
        self._at = monotonic()
        self._urgent = 0

    async def turn(self, *, urgent: bool) -> None:
        """Returns when one more message may go. While urgent ones wait, ordinary ones do not move."""
        self._urgent += urgent
        try:
            while not self._take(urgent):  # noqa: ASYNC110 - a bucket fills with time, no event tells of it
                await asyncio.sleep(max(0.005, (1 - self._tokens) / self._rate))
        finally:
            self._urgent -= urgent

    def _take(self, urgent: bool) -> bool:
        now = monotonic()
        self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1 or (self._urgent and not urgent):
            return False
        self._tokens -= 1
        return True
