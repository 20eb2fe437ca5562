"""Wake-ups: something changed, look at your rows now.

A ring is never needed for correctness: every loop also looks by itself once a second. With Redis
configured the ring reaches the other processes too; with Redis gone they are only a second slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

_CHANNEL = "limani:bell"
log = structlog.get_logger()


class Bell:
    """Topics are short words: inbox, outbox, pager, console, web:<citizen>."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._far: list[str] | None = None  # rings for other processes; None while nobody relays
        self._far_rung = asyncio.Event()

    def ring(self, *topics: str) -> None:
        """Wakes everyone who waits for one of the topics, here and (soon) in the other processes."""
        self._ring_here(topics)
        if self._far is not None:
            self._far.extend(topics)
            self._far_rung.set()

    def _ring_here(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            for event in self._listeners.get(topic, ()):
                event.set()

    @contextmanager
    def listen(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set by each ring; the listener clears it before it looks at its rows."""
        event = asyncio.Event()
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            for topic in topics:
                listeners = self._listeners[topic]
                listeners.discard(event)
                if not listeners:
                    del self._listeners[topic]

    async def relay(self, redis_url: str) -> None:
        """Carries rings to and from the other processes until cancelled; reconnects by itself."""
        self._far = []
        while True:
            try:
                await self._relay_once(redis_url)
            except Exception as error:  # Redis is an accelerator: whatever is wrong with it, go on
                log.warning("redis_unreachable", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _relay_once(self, redis_url: str) -> None:
        from redis.asyncio import Redis

        client = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=5)
        async with client as redis, asyncio.TaskGroup() as group:
            group.create_task(self._publish(redis))
            group.create_task(self._subscribe(redis))

    async def _publish(self, redis) -> None:  # type: ignore[no-untyped-def]
        while True:
            await self._far_rung.wait()
            self._far_rung.clear()
            topics, self._far = sorted(set(self._far or ())), []
            await redis.publish(_CHANNEL, " ".join(topics))

    async def _subscribe(self, redis) -> None:  # type: ignore[no-untyped-def]
        pubsub = redis.pubsub()
        await pubsub.subscribe(_CHANNEL)
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                self._ring_here(tuple(message["data"].decode().split()))


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Waits for a ring, at most `seconds`, and clears it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()
