"""What a municipality costs that nobody writes to: memory and processor of 1, 5 and 20 of them in one
process, with their real loops on the real clock.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.day.numbers import Numbers
from bench.day.shard import run_loop
from bench.day.town import Town, open_town, replace_transports
from bench.day.towns import make_towns
from limani.app import load_mind
from limani.logs import set_up_logs
from store.clock import SystemClock
from store.loop import run

STAGES = (1, 5, 20)
SETTLES = 1.5  # seconds before a stage is measured: the providers' packages load beside


def measure_idle(numbers: Numbers, folder: Path, seconds: float = 4.0) -> dict[str, Any]:
    """Opens towns one after the other and measures at each stage."""
    set_up_logs("critical")
    replace_transports()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return run_loop(_measure(numbers, folder, seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(numbers: Numbers, folder: Path, seconds: float) -> dict[str, Any]:
    mind, specs, stages = load_mind(), make_towns(numbers)[100:], []
    bare = resident()
    towns: list[Town] = []
    tasks: list[asyncio.Task[None]] = []
    for stage in STAGES:
        while len(towns) < stage:
            spec = specs[len(towns)]
            town = await open_town(
                spec, folder / str(spec.number), SystemClock(), mind, numbers, lambda *_: {}
            )
            towns.append(town)
            tasks += [
                asyncio.create_task(run(loop, town.app.parts.bell, town.app.pulse))
                for loop in town.app.loops()
            ]
        await asyncio.sleep(SETTLES)
        cpu, wall = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        used = (time.process_time() - cpu) / (time.monotonic() - wall)
        stages.append({"towns": stage, "resident_mb": resident() / 1e6, "cpu_share": used})
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    for town in towns:
        await town.close()
    return {"mind_mb": bare / 1e6, "stages": stages}


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
