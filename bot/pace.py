"""How fast a provider may be spoken to: at most `rate` messages in any second, urgent ones first, and to
one chat a short burst, then one turn a second.

Telegram's limits are the pattern: 30 messages a second in all, one a second to one chat, where the few
messages of one turn may go together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import ceil

from store.clock import monotonic

_FORGET = 10_000  # chats remembered at most; who has been silent for long needs no remembering


Waited = Callable[[float, bool], None]
"""Told how many seconds a message had to wait, and whether it was urgent."""


class Stopped(Exception):
    """The process is stopping: the message goes back to the outbox unsent."""


class Pace:
    """`rate` messages a second over all chats; to one chat `burst` turns, then `chat_rate` turns a second."""

    def __init__(
        self,
        rate: float,
        chat_rate: float,
        burst: int = 3,
        now: Callable[[], float] = monotonic,
        waited: Waited | None = None,
    ) -> None:
        self._rate, self._chat_rate, self._burst, self._now = rate, chat_rate, burst, now
        self._waited = waited
        self._recent: deque[float] = deque()
        self.share(1)
        # chat -> (turns it may still hear, since when, the turn that it heard last)
        self._chats: dict[int, tuple[float, float, int]] = {}
        self._urgent = 0
        self._stopping = False

    def share(self, among: int) -> None:
        """From now on the rate is divided among so many processes, none of which knows of the others."""
        rate = self._rate / max(1, among)
        self._window = max(1.0, 1 / rate)  # seconds in which as many may go as `_recent` holds
        self._recent = deque(self._recent, maxlen=max(1, int(rate * self._window)))

    def note(self, chat: int, turn: int) -> None:
        """Somebody else let a message go: it counts here as well."""
        now = self._now()
        self._recent.append(now)
        self._spend(chat, turn, now)

    def stop(self) -> None:
        """Whoever waits gives up."""
        self._stopping = True

    async def turn(self, chat: int, turn: int, *, urgent: bool) -> None:
        """Returns when one more message of `turn` may go to `chat`. While urgent ones wait, ordinary ones do
        not move; urgent ones do not wait for their chat. Raises Stopped."""
        pause = self.look(chat, turn, urgent=urgent)
        if pause <= 0:
            return
        begun = self._now()
        self._urgent += urgent
        try:
            while pause > 0:
                if self._stopping:
                    raise Stopped
                await asyncio.sleep(min(pause, 0.2))
                pause = self.look(chat, turn, urgent=urgent)
        finally:
            self._urgent -= urgent
        if self._waited is not None:
            self._waited(self._now() - begun, urgent)

    def look(self, chat: int, turn: int, *, urgent: bool) -> float:
        """Seconds that a message has to wait; 0 = it is counted and may go."""
        now = self._now()
        full = len(self._recent) == self._recent.maxlen
        wait = self._recent[0] + self._window - now if full else 0.0
        if wait <= 0 and self._urgent and not urgent:
            wait = 0.005
        if wait <= 0 and not urgent:
            wait = self._chat_pause(chat, turn, now)
        if wait > 0:
            return max(wait, 0.001)
        self._recent.append(now)
        self._spend(chat, turn, now)
        return 0.0

    def _left(self, chat: int, now: float) -> float:
        left, since, _ = self._chats.get(chat, (float(self._burst), now, 0))
        return min(float(self._burst), left + (now - since) * self._chat_rate)

    def _heard(self, chat: int, turn: int) -> bool:
        """Whether the chat has heard other messages of this turn."""
        return chat in self._chats and self._chats[chat][2] == turn

    def _chat_pause(self, chat: int, turn: int, now: float) -> float:
        if self._heard(chat, turn):
            return 0.0
        left = self._left(chat, now)
        return 0.0 if left >= 1 else (1 - left) / self._chat_rate

    def _spend(self, chat: int, turn: int, now: float) -> None:
        if self._heard(chat, turn):
            return
        if len(self._chats) >= _FORGET:
            full = ceil(self._burst / self._chat_rate)
            self._chats = {one: kept for one, kept in self._chats.items() if now - kept[1] < full}
        self._chats[chat] = (max(0.0, self._left(chat, now) - 1), now, turn)
