"""The turn: one stimulus becomes an answer, a ticket and, where a life may be at stake, an obligation.

Reading first, outside any transaction; then everything in one: load the session, step, make the events
true, save, mark done. Speaking comes after the commit, from the outbox.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from bot.deeds import Deeds
from bot.inbox import Inbox, LostLease, StimulusState, Taken
from bot.outbox import Outbox
from bot.quarantine import Quarantine
from bot.sessions import Sessions
from bot.understand import understand
from bot.world import World
from flows.engine import step
from flows.model import Library
from flows.session import Session, Stimulus
from nlu.reading import Reader, Reading
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.ids import Ids
from tickets.record import Record

log = structlog.get_logger()


class Turns:
    """The loop over the inbox."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        ids: Ids,
        inbox: Inbox,
        outbox: Outbox,
        sessions: Sessions,
        record: Record,
        world: World,
        library: Library,
        reader: Reader,
    ) -> None:
        self._db, self._bell, self._clock, self._ids = db, bell, clock, ids
        self._inbox, self._outbox, self._sessions, self._record = inbox, outbox, sessions, record
        self._world, self._library, self._reader = world, library, reader
        self._quarantine = Quarantine(inbox, record, ids)

    async def tick(self) -> bool:
        """Takes the turns that wait: the oldest of each citizen. True if there may be more."""
        owner = self._ids.token(8)
        taken = await self._db.write(lambda tx: self._inbox.claim(tx, owner, self._clock.now()))
        await asyncio.gather(*(self._take(stimulus) for stimulus in taken))  # one commit for all
        return bool(taken)

    async def _take(self, taken: Taken) -> None:
        reading = understand(self._reader, taken.kind, str(taken.body.get("text", "")))
        try:
            rung = await self._db.write(lambda tx: self._turn(tx, taken, reading))
        except (LostLease, StoreUnavailable):
            return  # somebody else took it over, or the lease will give it back: nothing was written
        except Exception as error:
            log.error("turn_failed", stimulus=taken.id, tries=taken.attempts, error=type(error).__name__)
            rung = await self._failed(taken, reading, error)
        self._bell.ring("outbox", "console", f"web:{taken.citizen_id}", *rung)

    async def _failed(self, taken: Taken, reading: Reading | None, error: Exception) -> set[str]:
        now = self._clock.now()
        try:
            return await self._db.write(lambda tx: self._quarantine.after(tx, taken, reading, error, now))
        except (LostLease, StoreUnavailable):
            return set()

    def _turn(self, tx: Connection, taken: Taken, reading: Reading | None) -> set[str]:
        now = self._clock.now()
        session = self._sessions.load(tx, taken.citizen_id) or _stranger(taken)
        context = self._world.context(tx, taken.citizen_id, session.language, now)
        result = step(self._library, session, self._stimulus(tx, taken, reading), context)
        deeds = Deeds(
            tx,
            self._record,
            self._outbox,
            taken.citizen_id,
            taken.channel,
            result.session.language,
            now,
            self._ticket(tx, session),
        )
        deeds.do(result.events)
        self._sessions.save(tx, taken.citizen_id, result.session, now)
        self._inbox.finish(tx, taken, StimulusState.done, now)
        return deeds.rung

    def _stimulus(self, tx: Connection, taken: Taken, reading: Reading | None) -> Stimulus:
        body = taken.body
        token = body.get("button")
        button = self._outbox.button(tx, taken.citizen_id, token) if token else None
        return Stimulus(
            kind=taken.kind,
            text=button.label if button else body.get("text", ""),
            understood=reading,
            button=button.value if button else None,
            by=body.get("by"),
            ref=body.get("ref"),
            token=body.get("token"),
            place=tuple(body["place"]) if body.get("place") else None,
            file_kind=body.get("file_kind"),
        )

    def _ticket(self, tx: Connection, session: Session) -> int | None:
        row = self._record.by_ref(tx, session.case.ref) if session.case else None
        return None if row is None else int(row.id)


def _stranger(taken: Taken) -> Session:
    """The first session of somebody new, in the language of the app where we speak it."""
    hint = str(taken.body.get("language") or "")[:2].lower()
    return Session(language=hint if hint == "en" else "el")
