"""Every await, commit, request and fsync of the product as a numbered point, where it can be killed.

A point is a place in the code and how often it was reached: "bot/turns.py:42<-asyncio/locks.py:213#3". Places
are every resume of a task (file and line of the innermost frame of ours, and of the innermost of all), and
the named points of store.points. A resume at which nothing has changed since the same place was last
resumed is not a point of its own: the loops look at their rows many times a second, and a crash there finds
exactly what a crash at the look before found. "Changed" means: a row was written in any transaction, a
request came in, a request left or was answered, or the spool was written.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sqlite3.dbapi2
from collections import Counter
from pathlib import Path
from typing import Any

from store import points

ROOT = str(Path(__file__).parent.parent.parent) + "/"
OURS = tuple(ROOT + room for room in ("limani/", "console/", "escalation/", "bot/", "tickets/", "store/"))


class Points:
    """Counts points and ends the process at the first that `crash` names."""

    def __init__(self, crash: frozenset[str], count: str | None) -> None:
        self._crash = crash
        self._count = Path(count).open("a", buffering=1) if count else None  # noqa: SIM115
        self._reached: Counter[str] = Counter()
        self._seen: dict[str, tuple[int, int]] = {}
        self._told = 0
        self._connections: list[sqlite3.Connection] = []

    def listen(self) -> None:
        """From now on."""
        points.listen(self._named)
        self._watch_databases()
        self._watch_requests()
        self._watch_steps()

    def _named(self, point: str) -> None:
        if not point.startswith("store."):
            self._told += 1
        self._at(point)

    def _at(self, place: str) -> None:
        state = (self._told, sum(map(_changes, list(self._connections))))
        if self._seen.get(place) == state:
            return
        self._seen[place] = state
        self._reached[place] += 1
        name = f"{place}#{self._reached[place]}"
        if self._count is not None:
            self._count.write(name + "\n")
        if name in self._crash:
            os.kill(os.getpid(), signal.SIGKILL)

    def _watch_databases(self) -> None:
        """`total_changes` of every connection tells whether anything was written, committed or not."""
        connect = sqlite3.dbapi2.connect

        def watched(*arguments: Any, **more: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **more)
            self._connections.append(connection)
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = watched  # type: ignore[assignment]

    def _watch_requests(self) -> None:
        from aiohttp.web_protocol import RequestHandler

        received = RequestHandler.data_received

        def watched(handler: Any, data: bytes) -> None:
            self._told += 1
            received(handler, data)

        RequestHandler.data_received = watched  # type: ignore[method-assign,assignment]

    def _watch_steps(self) -> None:
        """Each step of each task is a callback of the loop."""
        run = asyncio.events.Handle._run

        def watched(handle: Any) -> None:
            task = getattr(handle._callback, "__self__", None)
            if isinstance(task, asyncio.Task):
                self._at(_place(task))
            run(handle)

        asyncio.events.Handle._run = watched  # type: ignore[method-assign,assignment]


def _changes(connection: sqlite3.Connection) -> int:
    try:
        return connection.total_changes
    except sqlite3.ProgrammingError:  # closed
        return 0


def _place(task: asyncio.Task[Any]) -> str:
    """Where a task goes on: the innermost line of ours, and the innermost of all."""
    ours, last = "", ""
    step: Any = task.get_coro()
    while step is not None:
        frame = getattr(step, "cr_frame", None) or getattr(step, "gi_frame", None)
        if frame is None:
            break
        file = frame.f_code.co_filename
        last = f"{'/'.join(file.rsplit('/', 2)[-2:])}:{frame.f_lineno}"
        if file.startswith(OURS):
            ours = f"{file.removeprefix(ROOT)}:{frame.f_lineno}"
        step = getattr(step, "cr_await", None) or getattr(step, "gi_yieldfrom", None)
    if not ours:
        return last
    return ours if ours.endswith(last) else f"{ours}<-{last}"
