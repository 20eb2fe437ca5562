"""Callbacks out, in order: one lane per key, and while its head fails, what stands behind it waits.

This is Telegram's real behaviour (and why one poisoned update must not be answered with an error); Viber's
retries run through it as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.standin import Answer

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses before the next try, in seconds; no pauses: one try, then dropped.

    `scale` shortens them, and the time to expiry with them.
    """

    pauses: tuple[float, ...] = (0, 2, 4, 8, 16, 32)
    cap: float = 60.0
    scale: float = 1.0
    endless: bool = True

    def pause(self, failures: int, retry_after: float | None) -> float | None:
        """Seconds until the next try after so many failures in a row; None: give up."""
        if (failures > len(self.pauses) and not self.endless) or not self.pauses:
            return None
        if retry_after is not None:
            return min(max(retry_after, 0), 3600) * self.scale
        planned = self.pauses[failures - 1] if failures <= len(self.pauses) else self.cap
        return planned * self.scale


NEVER = Backoff(pauses=(), endless=False)


@dataclass(slots=True)
class Parcel:
    """One callback on its way. `tried` is set once the product has had its first chance to take it."""

    number: int
    key: Key
    payload: dict[str, Any]
    expires_after: float
    tries: int = 0
    answer: Answer | None = None
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class Lanes:
    """`put` parcels, `pump` while `open`; a parcel leaves when it was answered 2xx, dropped or expired."""

    def __init__(
        self,
        deliver: Callable[[Parcel], Awaitable[Answer]],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        is_open: Callable[[], bool],
        backoff: Backoff,
        changed: Callable[[], None],
    ) -> None:
        self.parcels: dict[int, Parcel] = {}
        self.backoff = backoff
        self.deliver = deliver  # public, so that a rig may keep a ledger of the answers
        self._spawn = spawn
        self._is_open = is_open
        self._changed = changed
        self._running: dict[Key, asyncio.Task[None]] = {}

    def put(self, parcel: Parcel) -> Parcel:
        """Queue one more."""
        self.parcels[parcel.number] = parcel
        self.pump()
        return parcel

    def drop(self, number: int) -> None:
        """Forget one: delivered, confirmed or expired."""
        parcel = self.parcels.pop(number, None)
        if parcel is not None:
            parcel.tried.set()
            self._changed()

    def pump(self) -> None:
        """Set every lane that has something to deliver in motion."""
        for key in {parcel.key for parcel in self.parcels.values()}:
            running = self._running.get(key)
            if self._is_open() and (running is None or running.done()):
                self._running[key] = self._spawn(self._run(key))

    def hurry(self) -> None:
        """Skip the pauses: the product is back and the test does not want to wait."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        self.pump()

    async def _run(self, key: Key) -> None:
        failures, waited = 0, 0.0
        while self._is_open() and (parcel := self._head(key)) is not None:
            parcel.tries += 1
            parcel.answer = await self.deliver(parcel)
            if parcel.answer.ok:
                self.drop(parcel.number)
                failures, waited = 0, 0.0
                continue
            failures += 1
            pause = self.backoff.pause(failures, _retry_after(parcel.answer))
            self._release(key)
            if pause is None or waited + pause > parcel.expires_after * self.backoff.scale:
                self.drop(parcel.number)
                failures, waited = 0, 0.0
                continue
            waited += pause
            await asyncio.sleep(pause)

    def _head(self, key: Key) -> Parcel | None:
        waiting = [number for number, parcel in self.parcels.items() if parcel.key == key]
        return self.parcels[min(waiting)] if waiting else None

    def _release(self, key: Key) -> None:
        """Whoever waits for a first try behind a blocked head has waited long enough."""
        for parcel in self.parcels.values():
            if parcel.key == key:
                parcel.tried.set()


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
