"""From a red message to the request that rings a phone, beside 200 ordinary messages/s."""

from __future__ import annotations

import asyncio
import itertools

from bench import servers
from bench.load import Crowd
from bench.openloop import WARM, Stream
from bench.reds import Reds
from bench.run import Figure, Figures, Run, as_detail, say
from bench.twilio_stub import twilio

RATE, REDS = 200.0, 7.0  # a second
SECONDS = 45.0


async def measure(run: Run) -> Figures:
    """The 99th percentile over at least 300 red messages of different citizens."""
    folder, seconds = run.place("page"), run.seconds(SECONDS)
    async with twilio() as phones, servers.house(folder / "ours", phones.settings()) as ours:
        crowd = Crowd(ours, 10_000_000)
        await crowd.learn()
        reds = Reds(crowd, itertools.count(50_000_000))
        beside, _ = await asyncio.gather(Stream(crowd, run.rate(RATE)).flow(seconds), _later(reds, seconds))
        waits = await reds.waits(f"sqlite:///{folder / 'ours' / 'limani.db'}", phones)
    middle, worst = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    say(f"  {len(waits)} red messages: p50 {middle:.1f} ms, p99 {worst:.1f} ms, worst {waits[-1]:.1f} ms")
    detail = {"reds": len(waits), "p50_ms": round(middle, 2), "worst_ms": round(waits[-1], 2)}
    return {
        "page": Figure(
            worst, f"p50 {middle:.1f} ms, p99 {worst:.1f} ms", "", {**detail, "beside": as_detail(beside)}
        )
    }


async def _later(reds: Reds, seconds: float) -> None:
    await asyncio.sleep(WARM)
    await reds.flow(REDS, seconds)
