"""`python -m bench.profile [--seconds N]`: where each microsecond of a turn goes, and the floor below it.

The same load as the first row of the table, with a stopwatch in the house (which costs a little itself).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

from bench import cores, floors, servers
from bench.load import Crowd, Result
from bench.rows.door import knock
from bench.run import CACHE, Run, say, shown
from bench.stages import SEALS, STATEMENTS
from limani.serve import run_async


def main() -> None:
    """Prints two tables and writes var/bench/profile.json."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--folder", type=Path, default=CACHE / "profile")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    cores.pin(0, cores.LOAD)
    run_async(_profile(Run(given.folder), given.seconds))


async def _profile(run: Run, seconds: float) -> None:
    folder = run.place("ours")
    async with servers.house(folder, {"BENCH_PROFILE": str(folder / "stages.json")}) as house:
        crowd = Crowd(house, 10_000_000)
        await crowd.learn()
        await crowd.closed(1.0)
        result, stages, calls = await _timed(crowd, house.pid, seconds, folder / "stages.json")
    say(f"  {shown(result)}")
    async with servers.peer("echo", folder=folder, wired=False) as echo:
        count, _, used = await knock(echo, 3)
    async with servers.peer("echo", "--raw", folder=folder, wired=False) as raw:
        least, _, least_used = await knock(raw, 3)
    found = floors.measure(folder)
    found |= {floors.ECHO: used / count * 1e6, floors.SOCKET: least_used / least * 1e6}
    limit = _limit(found, calls)
    _show(stages, calls, found, limit)
    written = {
        "turn_us": result.cpu_us,
        "stages_us": stages,
        "calls": calls,
        "floors_us": found,
        "limit_us": limit,
    }
    (CACHE / "profile.json").write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")


def _limit(found: dict[str, float], calls: dict[str, float]) -> float:
    """What a turn would cost if there were nothing but a socket, JSON, cipher and SQLite: one request over a
    bare protocol, its JSON, the cells that it seals and opens, its statements as rows of a shared commit."""
    seals, rows = calls[SEALS], calls[STATEMENTS]
    own = found[floors.JSON] + seals * found[floors.SEAL] + rows * found[floors.SHARED_ROW]
    return found[floors.SOCKET] + own


async def _timed(
    crowd: Crowd, pid: int, seconds: float, path: Path
) -> tuple[Result, dict[str, float], dict[str, float]]:
    """Stages in microseconds a turn and in calls a turn, over every turn between the two signals."""
    before = crowd.turns
    os.kill(pid, signal.SIGUSR1)
    result = await crowd.closed(seconds, warm=0.0)
    os.kill(pid, signal.SIGUSR2)
    await asyncio.sleep(1)  # the house writes it down
    turns = crowd.turns - before
    counted: dict[str, Any] = json.loads(path.read_text())
    spent = {stage: time / turns / 1e3 for stage, time in counted["ns"].items()}
    threads = {name: time / turns / 1e3 for name, time in counted["threads"].items()}
    spent["the rest: HTTP, event loop, queues"] = sum(threads.values()) - sum(spent.values())
    return result, spent, {stage: count / turns for stage, count in counted["calls"].items()}


def _show(stages: dict[str, float], calls: dict[str, float], found: dict[str, float], limit: float) -> None:
    whole = sum(stages.values())
    print(f"{'a turn':<42}{'us':>8}{'share':>8}{'calls':>8}")
    for stage, time in sorted(stages.items(), key=lambda item: -item[1]):
        print(f"{stage:<42}{time:>8.1f}{time / whole:>8.1%}{calls.get(stage, 0):>8.1f}")
    print(f"{'together':<42}{whole:>8.1f}\n")
    print(f"{'the floor':<42}{'us':>8}")
    for name, time in found.items():
        print(f"{name:<42}{time:>8.1f}")
    print(f"\nsocket, JSON, cipher and SQLite alone: {limit:.0f} us; ours is {whole / limit:.1f} times that")


if __name__ == "__main__":
    main()
