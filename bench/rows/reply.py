"""How long a citizen waits for the whole reply at 200 messages/s that come when they please."""

from __future__ import annotations

from bench import servers
from bench.load import Crowd
from bench.openloop import Stream
from bench.run import Figure, Figures, RowFailed, Run, as_detail, say, shown

RATE = 200.0
SECONDS = 40.0


async def measure(run: Run) -> Figures:
    """The 99th percentile, from the moment a message was due to the last message of its reply."""
    async with servers.house(run.place("reply") / "ours") as ours:
        crowd = Crowd(ours, 10_000_000)
        await crowd.learn()
        stream = Stream(crowd, run.rate(RATE))
        result = await stream.flow(run.seconds(SECONDS))
        if result.stray:
            raise RowFailed(f"{result.stray} messages answered nothing")
    say(f"  {shown(result)}")
    worst = result.percentile(0.99)
    firsts = sorted(stream.firsts)
    detail = as_detail(result) | {"first_p99_ms": round(firsts[int(len(firsts) * 0.99)], 2)}
    return {"reply": Figure(worst, f"p50 {result.percentile(0.5):.1f} ms, p99 {worst:.1f} ms", "", detail)}
