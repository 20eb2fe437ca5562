"""When a turn fails: try again, and at last hand the words to a human. Nothing is dropped, nobody blocked.

A stimulus whose turn fails three times is our bug. It becomes an amber ticket with the very words (red,
with a page, if the reading was red), and the citizen's later messages go on.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from bot.inbox import Inbox, StimulusState, Taken
from nlu.reading import Reading, Risk
from store.ids import Ids
from store.schema import citizens
from tickets.record import Case, Record

TRIES = 3


class Quarantine:
    """Decides what follows a failed turn."""

    def __init__(self, inbox: Inbox, record: Record, ids: Ids) -> None:
        self._inbox = inbox
        self._record = record
        self._ids = ids

    def after(
        self, tx: Connection, taken: Taken, reading: Reading | None, error: Exception, now: datetime
    ) -> set[str]:
        """Gives the stimulus back for another try, or quarantines it and tells staff. Returns topics."""
        why = type(error).__name__
        if taken.attempts < TRIES:
            self._inbox.finish(tx, taken, StimulusState.new, now, why)
            return {"inbox"}
        self._inbox.finish(tx, taken, StimulusState.quarantined, now, why)
        return self._tell_staff(tx, taken, reading, now)

    def _tell_staff(self, tx: Connection, taken: Taken, reading: Reading | None, now: datetime) -> set[str]:
        red = reading is not None and reading.risk is Risk.red
        language = tx.execute(
            select(citizens.c.language).where(citizens.c.id == taken.citizen_id)
        ).scalar_one()
        kind = str(reading.risk_kind) if reading is not None and reading.risk_kind else None
        risk = Risk.red if red else Risk.amber
        case = Case(self._ids.ref("Q"), taken.citizen_id, "other", risk, kind, taken.channel, language, {})
        ticket = self._record.open(tx, case, now)
        self._record.add(tx, ticket, "system", "status", "quarantined: the bot could not answer this", now)
        if words := str(taken.body.get("text", "")):
            self._record.add(tx, ticket, "citizen", "said", words, now)
        if red:
            self._record.need_page(tx, ticket, now)
        return {"pager", "console"}
