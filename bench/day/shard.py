"""One process with some of the towns: runs their day and brings home what happened, as plain values.

Several run beside each other, as the processes of a host would; they share nothing.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.day.demand import Arrivals
from bench.day.engine import Day
from bench.day.numbers import Numbers
from bench.day.phones import Phones
from bench.day.town import Town, replace_transports
from bench.day.towns import TownSpec
from limani.app import load_mind
from limani.logs import set_up_logs

TABLES = (
    "citizens",
    "addresses",
    "inbox",
    "sessions",
    "outbox",
    "waits",
    "tickets",
    "entries",
    "pages",
    "attempts",
)
_PAGES = (
    "SELECT p.needed_at, p.acknowledged_at, p.contacted_at, p.exhausted_at, p.id FROM pages p "
    "JOIN tickets t ON t.id = p.ticket_id WHERE t.risk = 'red' ORDER BY p.id"
)


@dataclass(frozen=True, slots=True)
class Job:
    """What one process has to do. `until`: seconds after midnight."""

    name: str
    specs: tuple[TownSpec, ...]
    arrivals: Arrivals
    numbers: Numbers
    seed: int
    folder: Path
    fsync: float
    until: float


def work(job: Job, tell: Callable[[str, float], None] = lambda name, seconds: None) -> dict[str, Any]:
    """Runs the job to its end, in this process."""
    set_up_logs("critical")
    replace_transports()
    shutil.rmtree(job.folder, ignore_errors=True)
    try:
        return run_loop(_run(job, tell))
    finally:
        shutil.rmtree(job.folder, ignore_errors=True)


def run_loop(main: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """On uvloop where it exists, as `limani serve` does."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


async def _run(job: Job, tell: Callable[[str, float], None]) -> dict[str, Any]:
    day = Day(job.specs, job.numbers, job.seed, fsync=job.fsync, progress=lambda at: tell(job.name, at))
    await day.open(job.folder, load_mind())
    gc.freeze()
    empty = [_bytes(town) for town in day.towns]
    begun, wall = time.process_time(), time.monotonic()
    try:
        await day.run(job.arrivals, job.until)
        pairs = zip(day.towns, day.phones, empty, strict=True)
        towns = [_town(town, phones) | {"bytes": _bytes(town) - before} for town, phones, before in pairs]
    finally:
        await day.close()
    return {
        "name": job.name,
        "ledger": day.ledger.plain(),
        "talks": [(who.red, who.began, who.sent) for who in day.people if len(who.sent) > 0],
        "towns": towns,
        "cpu_all": time.process_time() - begun,
        "wall": time.monotonic() - wall,
    }


def _town(town: Town, phones: Phones) -> dict[str, Any]:
    count = {name: _one(town.raw, f"SELECT count(*) FROM {name}") for name in TABLES}
    places = dict(town.raw.execute("SELECT id, page_id FROM attempts").fetchall())
    people = list(phones.people.values())
    return {
        "number": town.spec.number,
        "population": town.spec.population,
        "on_duty": town.spec.on_duty,
        "rows": count,
        "pages": [list(row) for row in town.raw.execute(_PAGES)],
        "calls": [(at, places[attempt]) for at, attempt in phones.calls],
        "rang": [(at, places[attempt]) for at, attempt in phones.rang],
        "busy_calls": phones.busy_calls,
        "texts": phones.texts,
        "cases": sum(one.cases for one in people),
        "worked": sum(one.worked for one in people),
        "tickets": [
            list(row) for row in town.raw.execute("SELECT topic, risk, count(*) FROM tickets GROUP BY 1, 2")
        ],
        "left": _one(town.raw, "SELECT count(*) FROM inbox WHERE state IN ('new', 'taken')"),
        "strange": _one(town.raw, "SELECT count(*) FROM inbox WHERE state = 'quarantined'"),
        "unsent": _one(town.raw, "SELECT count(*) FROM outbox WHERE state <> 'sent'"),
    }


def _bytes(town: Town) -> int:
    """Of the database in use: pages of the file, not counting the write-ahead log."""
    return _one(town.raw, "PRAGMA page_count") * _one(town.raw, "PRAGMA page_size")


def _one(raw: sqlite3.Connection, query: str) -> int:
    return int(raw.execute(query).fetchone()[0])


def fsync_seconds(folder: Path, times: int = 100) -> float:
    """What one durable append costs on this disk, in the median."""
    folder.mkdir(parents=True, exist_ok=True)
    path, spans = folder / "fsync.probe", []
    with path.open("wb", buffering=0) as probe:
        for _ in range(times):
            begun = time.perf_counter()
            probe.write(b"x" * 4096)
            os.fdatasync(probe.fileno())
            spans.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(spans)


def split(
    specs: Sequence[TownSpec], arrivals: Arrivals, processes: int
) -> list[tuple[tuple[TownSpec, ...], Arrivals]]:
    """The towns and their arrivals for each process, so that each has about as much to do."""
    import numpy as np

    parts = []
    for process in range(min(processes, len(specs))):
        mine = [place for place in range(len(specs)) if _owner(place, processes) == process]
        chosen = np.isin(arrivals.town, mine)
        place_of = {place: at for at, place in enumerate(mine)}
        town = np.array([place_of[int(place)] for place in arrivals.town[chosen]], dtype=np.int64)
        some = Arrivals(
            arrivals.at[chosen], town, arrivals.topic[chosen], arrivals.cut[chosen], arrivals.topics
        )
        parts.append((tuple(specs[place] for place in mine), some))
    return parts


def _owner(place: int, processes: int) -> int:
    """Snake order: 0 1 1 0 0 1 1 0 for two."""
    row, at = divmod(place, processes)
    return at if row % 2 == 0 else processes - 1 - at
