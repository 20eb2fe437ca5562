"""Waits until nothing is owed any more, and says what still is when the time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, func, select

from store.database import StoreUnavailable
from store.peek import peek
from store.schema import inbox, outbox, pages
from tests.faults.rig.verdict import Verdict

QUIET_LOOKS = 3  # a clock that has just run out shows in the rows only a moment later
_OWED = (
    (inbox, ("new", "taken")),
    (outbox, ("due", "sending", "unknown")),
    (pages, ("needed", "ringing")),
)


async def drained(url: str, spools: Iterable[Path], verdict: Verdict, within: float = 120) -> bool:
    """True when the inbox, the outbox, the search for people and the spool are empty."""
    begun = time.monotonic()
    left: dict[str, int] = {}
    quiet = 0
    while time.monotonic() - begun < within:
        left = await owed(url)
        left["bytes in the spool"] = sum(spool.stat().st_size for spool in spools if spool.exists())
        quiet = 0 if any(left.values()) else quiet + 1
        if quiet == QUIET_LOOKS:
            verdict.figures["drained after, s"] = round(time.monotonic() - begun, 1)
            return True
        await asyncio.sleep(0.2)
    verdict.blame(f"not drained within {within:.0f} s: {left}")
    return False


async def owed(url: str) -> dict[str, int]:
    """How many rows of each kind wait."""
    try:
        return await peek(url, _count) or {}
    except StoreUnavailable:
        return {"the store does not answer": 1}


async def backlog(url: str) -> int:
    """Citizens' messages that wait for their turn or their answer."""
    found = await owed(url)
    return found.get("inbox", 0) + found.get("outbox", 0)


def _count(tx: Connection) -> dict[str, int]:
    return {
        table.name: tx.execute(
            select(func.count()).select_from(table).where(table.c.state.in_(states))
        ).scalar_one()
        for table, states in _OWED
    }
