"""Wake-ups here and across processes by a real Redis; loops that outlive their errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from store import bell as bells
from store.bell import Bell
from store.figures import Figures
from store.loop import Loop, Pulse, run
from tests.store.wire import Wire


async def test_a_ring_wakes_a_listener_of_the_topic_only() -> None:
    bell = Bell()
    with bell.listen("inbox") as inbox, bell.listen("outbox") as outbox:
        bell.ring("inbox")
        assert (inbox.is_set(), outbox.is_set()) == (True, False)


async def test_redis_carries_rings_to_another_process(redis_url: str) -> None:
    here, there = Bell(), Bell()
    relays = [asyncio.create_task(bell.relay(redis_url)) for bell in (here, there)]
    try:
        with there.listen("pager") as ring:
            async with asyncio.timeout(10):
                while not ring.is_set():  # the first rings may pass before the subscription stands
                    here.ring("pager")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(ring.wait(), 0.1)
    finally:
        await stop(relays)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def test_without_redis_rings_still_work_here() -> None:
    bell = Bell()
    relay = asyncio.create_task(bell.relay("redis://127.0.0.1:1/0"))
    with bell.listen("inbox") as ring:
        await asyncio.sleep(0)
        bell.ring("inbox")
        assert ring.is_set()
    await stop([relay])


async def test_a_loop_outlives_an_error_and_beats_again() -> None:
    bell, pulse, passes = Bell(), Pulse(), asyncio.Event()
    calls = 0

    async def work() -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("once")
        passes.set()
        return False

    task = asyncio.create_task(run(Loop("t", work, every=0.01), bell, pulse))
    await asyncio.wait_for(passes.wait(), 5)
    assert pulse.errors == {"t": 1}
    assert pulse.late(5) == []
    await stop([task])


async def _up(figures: Figures, wanted: float = 1) -> None:
    async with asyncio.timeout(10):
        while figures.levels.get(("redis_up",)) != wanted:
            await asyncio.sleep(0.01)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "AGAIN", 0.05)
    monkeypatch.setattr(bells, "ECHO", 0.1)
    monkeypatch.setattr(bells, "DEAF", 0.5)


@pytest.mark.usefixtures("hasty")
async def test_after_a_lost_subscription_everybody_looks(redis_url: str) -> None:
    figures = Figures()
    async with Wire(redis_url) as wire:
        bell = Bell(figures)
        relay = asyncio.create_task(bell.relay(wire.url))
        await _up(figures)
        with bell.listen("pager") as pager, bell.listen("web:7") as chat:
            await bells.wait(pager, 0.3)
            chat.clear()
            assert not pager.is_set()
            wire.cut()
            await asyncio.wait_for(asyncio.gather(pager.wait(), chat.wait()), 10)
        await stop([relay])


@pytest.mark.usefixtures("hasty")
async def test_a_redis_that_falls_silent_is_noticed_and_left(redis_url: str) -> None:
    """Its sockets stay open and say nothing: no error ever comes."""
    figures = Figures()
    async with Wire(redis_url) as wire:
        bell = Bell(figures)
        relay = asyncio.create_task(bell.relay(wire.url))
        await _up(figures)
        wire.silent.set()
        await _up(figures, 0)
        with bell.listen("inbox") as ring:
            bell.ring("inbox")
            assert ring.is_set()
        wire.silent.clear()
        wire.cut()
        await _up(figures)
        await stop([relay])


async def test_what_redis_cannot_carry_does_not_pile_up() -> None:
    bell = Bell()
    relay = asyncio.create_task(bell.relay("redis://127.0.0.1:1/0"))
    await asyncio.sleep(0)
    for number in range(bells.MOST_TOPICS + 500):
        bell.ring("inbox", f"web:{number}")
    assert bell._far is not None
    assert len(bell._far) <= bells.MOST_TOPICS + 2
    await stop([relay])


async def test_our_own_rings_are_not_heard_twice(redis_url: str) -> None:
    figures, other = Figures(), Bell()
    bell = Bell(figures)
    relays = [asyncio.create_task(one.relay(redis_url)) for one in (bell, other)]
    await _up(figures)
    with bell.listen("inbox") as here, other.listen("inbox") as there:
        there.clear()
        async with asyncio.timeout(10):
            while not there.is_set():
                bell.ring("inbox")
                here.clear()
                await asyncio.sleep(0.05)
        assert not here.is_set()
    await stop(relays)
