"""Redis absent at the start, killed, flushed, slow, read-only: slower at most, never wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.databases import SPLIT, flooded, one_postgres
from tests.faults.rig.home import Home
from tests.faults.rig.servers import Redis
from tests.faults.rig.setting import Here, Wish
from tests.faults.rig.verdict import Verdict
from tests.faults.rig.wire import Wire


async def redis_bad_day(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """All of it, one after the other, while citizens write and people are paged."""
    redis = Redis(folder / "redis")
    async with one_postgres(folder) as server, Wire(redis.port) as wire:

        async def act(here: Here) -> None:
            await asyncio.sleep(2)  # absent
            await redis.start()
            await asyncio.sleep(2)  # there
            await redis.says("FLUSHALL")
            await asyncio.sleep(1)
            wire.delay = 2.0  # slow
            await asyncio.sleep(5)
            wire.delay = 0.0
            await redis.says("CONFIG SET min-replicas-to-write 1")  # takes no write any more
            await asyncio.sleep(2)
            await redis.says("CONFIG SET min-replicas-to-write 0")
            wire.cut()
            await asyncio.sleep(1)
            await redis.kill()
            await asyncio.sleep(2)

        more = {"redis_url": f"redis://127.0.0.1:{wire.port}/0"}
        wish = Wish(await server.database("redis"), SPLIT, more=more, drain=120)
        try:
            return await flooded(home, folder, seed, wish, act, injected=6)
        finally:
            await redis.kill()
