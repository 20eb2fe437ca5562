"""Wake-ups: something changed, look at your rows now.

A ring is never needed for correctness: every loop also looks by itself once a second. With Redis
configured the ring reaches the other processes too; with Redis gone they are only a second slower.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from store.clock import monotonic
from store.figures import Figures

if TYPE_CHECKING:
    from redis.asyncio import Redis

_CHANNEL = "limani:bell"
MOST_TOPICS = 10_000  # kept for a Redis that is away; whoever misses one looks by itself
ECHO = 5.0  # seconds between two questions whether Redis still carries what we say
DEAF = 12.0  # without an answer for so long the connection is thought dead
AGAIN = 1.0  # seconds before a new connection
log = structlog.get_logger()


class Bell:
    """Topics are short words: inbox, outbox, pager, console, web:<citizen>."""

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures or Figures()
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._far: dict[str, None] | None = None  # rings for other processes; None while nobody relays
        self._far_rung = asyncio.Event()
        self._me = secrets.token_hex(4)  # our own rings come back from Redis and are not heard twice
        self._heard_at = 0.0

    def ring(self, *topics: str) -> None:
        """Wakes everyone who waits for one of the topics, here and (soon) in the other processes."""
        self._ring_here(topics)
        if self._far is not None and len(self._far) < MOST_TOPICS:
            self._far.update(dict.fromkeys(topics))
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
        self._far = {}
        while True:
            try:
                await self._relay_once(redis_url)
            except Exception as error:  # Redis is an accelerator: whatever is wrong with it, go on
                self._lost(error)
            if ending():
                raise asyncio.CancelledError
            await asyncio.sleep(AGAIN)

    def _lost(self, error: BaseException) -> None:
        """Said once, not at each try."""
        name = type(error).__name__
        self._figures.count("redis_lost", name)
        if self._figures.levels.get(("redis_up",)) != 0:
            log.warning("redis_unreachable", error=name)
        self._figures.level(0, "redis_up")

    async def _relay_once(self, redis_url: str) -> None:
        from redis.asyncio import Redis

        client = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=5)
        async with client as redis:
            publishing = asyncio.create_task(self._publish(redis))
            try:
                await self._subscribe(redis, publishing)
            finally:
                publishing.cancel()
                await asyncio.wait([publishing])

    async def _publish(self, redis: Redis) -> None:
        while not ending():
            await wait(self._far_rung, ECHO)
            topics, self._far = [*(self._far or ())], {}
            begun = monotonic()
            await redis.publish(_CHANNEL, " ".join([self._me, *topics]))
            self._figures.span(monotonic() - begun, "redis_seconds")

    async def _subscribe(self, redis: Redis, publishing: asyncio.Task[None]) -> None:
        """A subscription that hears nothing, not even ourselves, is dead however alive its socket looks."""
        pubsub = redis.pubsub()
        await pubsub.subscribe(_CHANNEL)
        self._heard_at = monotonic()
        while not ending():
            if publishing.done():
                publishing.result()  # raises what has happened to it
            message = await pubsub.get_message(timeout=1)
            if message is not None:
                self._heard_at = monotonic()
                self._hear(message)
            elif monotonic() - self._heard_at > DEAF:
                raise TimeoutError

    def _hear(self, message: dict[str, object]) -> None:
        """After each (new) subscription everybody is woken: what was rung meanwhile, nobody has told us."""
        if message["type"] == "subscribe":
            self._figures.level(1, "redis_up")
            log.info("redis_connected")
            self._ring_here(tuple(self._listeners))
            return
        data = message["data"]
        assert isinstance(data, bytes)
        sender, *topics = data.decode().split()
        if sender != self._me:
            self._ring_here(tuple(topics))


def ending() -> bool:
    """Whether this task has been cancelled. `asyncio.wait_for`, on which the Redis client stands, swallows
    that now and then (Python 3.11)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Waits for a ring, at most `seconds`, and clears it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()
