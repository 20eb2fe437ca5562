"""Waits: a due time that becomes a stimulus like any other. One per citizen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select

from bot.inbox import Inbox
from flows.session import StimulusKind
from store.bell import Bell
from store.clock import Clock
from store.database import Database
from store.figures import Figures
from store.prepared import Prepared, PreparedInsert
from store.schema import waits

_BATCH = 100


_SET = PreparedInsert(waits, over="citizen_id")
_CANCEL = Prepared(delete(waits).where(waits.c.citizen_id == bindparam("citizen")))


def set_waits(tx: Connection, several: Mapping[int, tuple[str, datetime]]) -> None:
    """Sets the waits (token, due time) of these citizens; earlier ones are forgotten."""
    rows = [
        {"citizen_id": citizen, "token": token, "due_at": due} for citizen, (token, due) in several.items()
    ]
    _SET.many(tx, rows)


def cancel_waits(tx: Connection, several: Sequence[int]) -> None:
    """Nothing is awaited of these citizens any more."""
    _CANCEL.many(tx, [{"citizen": citizen} for citizen in several])


def next_due(tx: Connection) -> datetime | None:
    """When the next wait comes due."""
    due: datetime | None = tx.execute(select(func.min(waits.c.due_at))).scalar()
    return due


class Waits:
    """The loop that turns due waits into stimuli."""

    def __init__(
        self, db: Database, bell: Bell, clock: Clock, inbox: Inbox, figures: Figures | None = None
    ) -> None:
        self._figures = figures or Figures()
        self._db = db
        self._bell = bell
        self._clock = clock
        self._inbox = inbox

    async def tick(self) -> bool:
        """Fires what is due. True if there may be more."""
        fired = await self._db.write(self._fire)
        if fired:
            self._figures.count("claimed", "waits", by=fired)
            self._bell.ring("inbox")
        return fired == _BATCH

    def _fire(self, tx: Connection) -> int:
        now = self._clock.now()
        query = select(waits).where(waits.c.due_at <= now).order_by(waits.c.due_at).limit(_BATCH)
        rows = tx.execute(query).all()
        for row in rows:
            same = (waits.c.citizen_id == row.citizen_id) & (waits.c.token == row.token)
            if tx.execute(delete(waits).where(same)).rowcount:
                self._inbox.put_inner(
                    tx,
                    row.citizen_id,
                    StimulusKind.timed_out,
                    f"wait:{row.citizen_id}:{row.token}",
                    now,
                    token=row.token,
                )
        return len(rows)
