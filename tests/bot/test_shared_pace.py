"""One rate for several processes, and what is left of it when Redis is slow, silent or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from redis.asyncio import Redis

from bot import shared_pace
from bot.pace import Stopped
from bot.shared_pace import BUDGET, SharedPace
from store.clock import monotonic
from store.figures import Figures
from tests.store.wire import Wire

Make = Callable[..., SharedPace]


@pytest.fixture
async def make(redis_url: str) -> AsyncIterator[Make]:
    """Paces as in processes of their own, on an empty Redis."""
    made: list[SharedPace] = []
    redis = Redis.from_url(redis_url)
    await redis.flushall()

    def one(rate: float, chat_rate: float = 1000, url: str = redis_url, **more: object) -> SharedPace:
        figures = more.pop("figures", Figures())
        pace = SharedPace("telegram", url, rate, chat_rate, figures, **more)  # type: ignore[arg-type]
        made.append(pace)
        return pace

    yield one
    for pace in made:
        pace.stop()
        await pace.close()
    await redis.aclose()


async def _flood(pace: SharedPace, chats: range, times: list[float]) -> None:
    async def one(chat: int) -> None:
        with suppress(Stopped):
            await pace.turn(chat, 1, urgent=False)
            times.append(monotonic())

    await asyncio.gather(*(one(chat) for chat in chats))


async def test_two_processes_keep_one_rate(make: Make) -> None:
    """Both want all of it, all the time."""
    times: list[float] = []
    first, second = make(20), make(20)
    floods = [
        asyncio.create_task(_flood(first, range(100), times)),
        asyncio.create_task(_flood(second, range(100, 200), times)),
    ]
    await asyncio.sleep(2.5)
    first.stop()
    second.stop()
    await asyncio.gather(*floods)
    times.sort()
    slack = 0.05  # between Redis's clock and the moment at which we hear of it
    assert all(len([at for at in times if begin <= at < begin + 1 - slack]) <= 20 for begin in times)
    assert len(times) >= 60


async def test_one_chat_hears_the_same_from_two_processes(make: Make) -> None:
    first, second = make(1000, chat_rate=0.001, burst=3), make(1000, chat_rate=0.001, burst=3)
    for turn, pace in enumerate((first, second, first)):
        await asyncio.wait_for(pace.turn(7, turn, urgent=False), 1)
    late = asyncio.create_task(second.turn(7, 99, urgent=False))
    await asyncio.wait_for(second.turn(7, 2, urgent=False), 1)  # a part of the turn that it hears now
    await asyncio.wait_for(second.turn(8, 5, urgent=False), 1)  # another chat
    await asyncio.wait_for(second.turn(7, 100, urgent=True), 1)  # danger does not wait for its chat
    assert not late.done()
    second.stop()
    with pytest.raises(Stopped):
        await late


async def test_danger_overtakes_the_queues_of_all_processes(make: Make) -> None:
    times: list[float] = []
    bulk, other = make(10), make(10)
    flood = asyncio.create_task(_flood(bulk, range(40), times))
    async with asyncio.timeout(5):
        while len(times) < 10:
            await asyncio.sleep(0.01)
    begun = monotonic()
    await other.turn(1000, 1, urgent=True)
    done = monotonic()
    assert done - begun < 1.2  # the window is full: it gets the first place that comes free
    assert len([at for at in times if begun < at < done - 0.02]) <= 1
    bulk.stop()
    await flood


async def test_without_redis_everything_goes_on_here(make: Make) -> None:
    figures = Figures()
    pace = make(1000, url="redis://127.0.0.1:1/0", figures=figures)
    begun = monotonic()
    await pace.turn(1, 1, urgent=True)
    assert monotonic() - begun < 1
    assert figures.levels[("pace_shared", "telegram")] == 0
    assert figures.counts[("pace_local", "telegram")] == 1


async def test_a_silent_redis_costs_one_budget_and_comes_back(
    make: Make, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_pace, "BROKEN", 0.3)
    figures = Figures()
    async with Wire(redis_url) as wire:
        pace = make(1000, url=wire.url, figures=figures)
        await pace.turn(1, 1, urgent=False)
        assert figures.levels[("pace_shared", "telegram")] == 1
        wire.silent.set()
        waits = []
        for turn in range(20):
            begun = monotonic()
            await pace.turn(1, turn, urgent=True)
            waits.append(monotonic() - begun)
        assert sorted(waits)[-3] < BUDGET  # but for the first one, and for one beside which we looked again
        assert max(waits) < 1
        assert figures.levels[("pace_shared", "telegram")] == 0
        wire.silent.clear()
        wire.cut()
        async with asyncio.timeout(5):
            while not figures.levels[("pace_shared", "telegram")]:
                await pace.turn(2, 1, urgent=False)
                await asyncio.sleep(0.05)


async def test_alone_each_keeps_to_its_share(make: Make, redis_url: str) -> None:
    async with Wire(redis_url) as wire:
        first, second = make(20, url=wire.url), make(20, url=wire.url)
        for pace in (first, second, first):
            await pace.turn(1, 1, urgent=True)
        wire.silent.set()
        times: list[float] = []
        flood = asyncio.create_task(_flood(first, range(60), times))
        await asyncio.sleep(0.7)
        assert 5 <= len(times) <= 10
        first.stop()
        await flood


async def test_a_flushed_redis_costs_nothing_but_its_memory(make: Make, redis_url: str) -> None:
    pace = make(1000)
    await pace.turn(1, 1, urgent=False)
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.script_flush()
    await asyncio.wait_for(pace.turn(1, 2, urgent=False), 1)
    await redis.aclose()


async def test_no_word_and_no_number_of_a_citizen_is_told_to_redis(make: Make, redis_url: str) -> None:
    """Rows of addresses are numbers of our own."""
    pace = make(1000)
    await pace.turn(77, 1, urgent=False)
    redis = Redis.from_url(redis_url, decode_responses=True)
    keys = sorted(str(key) for key in await redis.keys())
    await redis.aclose()
    head = "limani:pace:{telegram}:"
    assert keys == [f"{head}77", f"{head}recent", f"{head}who"]
