"""How fast a provider is spoken to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pace import Pace, Stopped


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _sent(pace: Pace, watch: Watch, chats: Iterator[int], seconds: float) -> list[float]:
    """When messages leave that are all waiting, looking every 10 ms."""
    times: list[float] = []
    chat = next(chats)
    while watch.now < seconds:
        while pace.look(chat, turn=len(times), urgent=False) == 0:
            times.append(watch.now)
            chat = next(chats)
        watch.now += 0.01
    return times


@settings(max_examples=30, deadline=None)
@given(st.floats(0.5, 50))
def test_no_second_holds_more_messages_than_the_rate(rate: float) -> None:
    watch = Watch()
    pace = Pace(rate, chat_rate=1000, burst=1000, now=watch)
    times = _sent(pace, watch, iter(range(10**6)), 5)
    most = max(1.0, rate)
    assert len(times) >= 4 * (int(rate) if rate >= 1 else rate)
    for begin in times:
        assert len([at for at in times if begin <= at < begin + max(1.0, 1 / rate) - 1e-6]) <= most


def test_one_chat_gets_a_burst_and_then_one_a_second() -> None:
    watch = Watch()
    pace = Pace(30, chat_rate=1, burst=3, now=watch)
    times = _sent(pace, watch, iter([7] * 100), 3.5)
    assert len([at for at in times if at < 0.05]) == 3
    assert len(times) == 6


def test_the_messages_of_one_turn_go_together() -> None:
    pace = Pace(30, chat_rate=0.001, burst=1, now=Watch())
    assert [pace.look(7, turn=1, urgent=False) for _ in range(5)] == [0.0] * 5
    assert pace.look(7, turn=2, urgent=False) > 0


async def test_urgent_messages_go_first_and_do_not_wait_for_their_chat() -> None:
    pace = Pace(1000, chat_rate=0.001, burst=1)
    await pace.turn(1, 1, urgent=False)
    ordinary = asyncio.create_task(pace.turn(1, 2, urgent=False))
    await asyncio.wait_for(pace.turn(1, 3, urgent=True), 1)
    assert not ordinary.done()
    pace.stop()
    with pytest.raises(Stopped):
        await ordinary
