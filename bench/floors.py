"""The physical floor: what reading, sealing, one commit and one socket cost on this machine without us.

Processor time, but for what is waited for at the disk.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import orjson

from bench import talk, updates
from bench.servers import KEY
from store.vault import Vault

BODY = 200  # bytes of a row
TOGETHER = 32  # rows in one commit, as many as a shared commit of turns has at most
JSON = "parse the JSON of an update"
SEAL = "seal one cell (AES-GCM)"
SHARED_ROW = f"SQLite FULL: a row of {TOGETHER} in one commit"
ECHO = "HTTP request, aiohttp echo"
SOCKET = "HTTP request, bare protocol"


def measure(folder: Path) -> dict[str, float]:
    """Microseconds of each."""
    body = updates.said(1, talk.TALKS[0][0].text)  # type: ignore[union-attr]
    vault = Vault([KEY])
    return {
        JSON: _each(lambda: orjson.loads(body), 20_000),
        SEAL: _each(lambda: vault.seal("inbox", 1, "body", "x" * 80), 20_000),
        SHARED_ROW: _sqlite(folder / "floor2.db", TOGETHER, time.thread_time) / TOGETHER,
        "SQLite FULL: one row, one commit, waited": _sqlite(folder / "floor1.db", 1, time.perf_counter),
        "write and fsync 4 KiB, waited": _fsync(folder / "floor.bin"),
    }


def _each(work: Callable[[], object], times: int) -> float:
    begun = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - begun) / times * 1e6


def _fsync(path: Path) -> float:
    block, spent = os.urandom(4096), []
    with path.open("wb", buffering=0) as file:
        for _ in range(300):
            begun = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            spent.append(time.perf_counter() - begun)
    path.unlink()
    return median(spent) * 1e6


def _sqlite(path: Path, rows: int, clock: Callable[[], float]) -> float:
    """Of one commit by this clock, in the settings that the product uses."""
    connection, spent = sqlite3.connect(path, isolation_level=None), []
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, body BLOB)")
    made = [(os.urandom(BODY),) for _ in range(rows)]
    for _ in range(300):
        begun = clock()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO floor (body) VALUES (?)", made)
        connection.execute("COMMIT")
        spent.append(clock() - begun)
    connection.close()
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    return median(spent) * 1e6
