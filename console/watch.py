"""Sees what changed in living cases, whichever process changed it, and tells every open page.

One look a second serves all pages; the bell only makes it sooner. What is told is a reference and a kind
of change, never a word: the page then asks for what it may see.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from store.bell import Bell, wait
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.ids import Ids
from store.schema import attempts, entries, pages, tickets
from tickets.states import PAGE_LIVE, TICKET_ALIVE

EVERY = 1.0  # seconds between two looks; the command line of another process rings no bell here
_KEPT = 512
_STILL_WATCHED = timedelta(hours=1)  # a closed case may still get a note or a review

Seen = dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """`what` is ticket (status, risk, who has it), words (new entries) or page (ringing, taken, ...)."""

    number: int
    ref: str
    what: str
    red: bool


@dataclass(slots=True)
class Watch:
    """Looks while anybody listens; starts and stops by itself."""

    db: Database
    bell: Bell
    clock: Clock
    ids: Ids
    era: str = ""
    _listeners: set[asyncio.Event] = field(default_factory=set)
    _changes: deque[Change] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _number: int = 0
    _seen: Seen | None = None
    _task: asyncio.Task[None] | None = None
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Event]:
        """An event that is set when there are changes; while one is held, we look."""
        event = asyncio.Event()
        self._listeners.add(event)
        if self._task is None or self._task.done():
            self.era = self.ids.token(6)  # what happened while nobody looked is unknown: a new count
            self._seen, self._begun = None, asyncio.Event()
            self._task = asyncio.create_task(self._look(), name="console watch")
        try:
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def begun(self) -> None:
        """Waits for the first look: only what happens after it is told, so a page loads itself then."""
        await self._begun.wait()

    @property
    def mark(self) -> str:
        """Where we are now, for Last-Event-ID."""
        return f"{self.era}-{self._number}"

    def since(self, mark: str) -> list[Change] | None:
        """The changes after a mark; None when they are not known any more: look at everything."""
        era, _, number = mark.rpartition("-")
        if era != self.era or not number.isdecimal() or int(number) > self._number:
            return None
        oldest = self._changes[0].number if self._changes else self._number + 1
        if int(number) < oldest - 1:
            return None
        return [change for change in self._changes if change.number > int(number)]

    async def _look(self) -> None:
        with self.bell.listen("console") as ring:
            while True:
                try:
                    now = self.clock.now()
                    self._compare(await self.db.read(lambda tx, now=now: look(tx, now - _STILL_WATCHED)))  # type: ignore[misc]
                except StoreUnavailable:
                    pass  # the page says by itself that it may be out of date; the next look may work
                await wait(ring, EVERY)

    def _compare(self, seen: Seen) -> None:
        before, self._seen = self._seen, seen
        if before is None:
            self._begun.set()
            return
        for ref in sorted(before.keys() | seen.keys()):
            old, new = before.get(ref, _NOTHING), seen.get(ref, _NOTHING)
            red = "red" in (*old[0], *new[0])
            for part, what in enumerate(("ticket", "words", "page")):
                if old[part] != new[part]:
                    self._number += 1
                    self._changes.append(Change(self._number, ref, what, red))
        for event in self._listeners if before != seen else ():
            event.set()


_NOTHING: tuple[Any, ...] = ((), 0, ())


def look(tx: Connection, closed_since: Any) -> Seen:
    """What each living case looks like from outside: its state, how many entries, how its pages stand."""
    column = tickets.c
    alive = or_(column.status.in_(TICKET_ALIVE), column.closed_at >= closed_since)
    state = (column.status, column.risk, column.assigned_to, column.wants_human, column.first_human_word_at)
    told = select(func.count()).where(entries.c.ticket_id == column.id).scalar_subquery()
    rows = tx.execute(select(column.id, column.ref, told, *state, column.reviewed_by).where(alive)).all()
    paged = _pages(tx)
    return {row.ref: (tuple(row[3:]), row[2], paged.get(row.id, ())) for row in rows}


def _pages(tx: Connection) -> dict[int, tuple[Any, ...]]:
    query = (
        select(pages.c.ticket_id, pages.c.id, pages.c.state, attempts.c.id, attempts.c.state)
        .outerjoin(attempts, attempts.c.page_id == pages.c.id)
        .where(pages.c.state.in_((*PAGE_LIVE, "contacted")))
        .order_by(pages.c.id, attempts.c.id)
    )
    found: dict[int, tuple[Any, ...]] = {}
    for ticket, *rest in tx.execute(query):
        found[ticket] = (*found.get(ticket, ()), *rest)
    return found
