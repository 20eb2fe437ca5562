"""Wake-ups here and across processes by a real Redis; loops that outlive their errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from store.bell import Bell
from store.loop import Loop, Pulse, run


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
