"""A supervisor has read a case over and says so with his or her name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from store.schema import tickets
from tickets.record import Record


def review(tx: Connection, record: Record, ref: str, person: str, now: datetime) -> bool:
    """Marks a ticket as reviewed, once; the log keeps it. False if there is no such ticket or somebody
    has reviewed it before."""
    row = record.by_ref(tx, ref)
    if row is None:
        return False
    first = tickets.c.reviewed_at.is_(None)
    values = {"reviewed_at": now, "reviewed_by": person}
    if tx.execute(update(tickets).where(tickets.c.id == row.id, first).values(**values)).rowcount == 0:
        return False
    record.add(tx, row.id, person, "status", "reviewed", now)
    return True
