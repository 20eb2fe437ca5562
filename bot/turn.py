"""The turn: one stimulus becomes an answer, a ticket and, where a life may be at stake, an obligation.

    reading      what the words mean, and whether they sound like danger (outside any transaction)
    one commit   load the session, step, make the events true, save, mark the stimulus done
    then         the outbox speaks, the pager rings, the console shows

Nothing that the world may see happens before the commit; nothing is forgotten after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.deeds import Deeds
from bot.inbox import Inbox, StimulusState, Taken
from bot.outbox import Outbox
from bot.sessions import Sessions
from bot.stimulus import as_stimulus
from bot.understand import understand
from bot.world import World
from flows.engine import step
from flows.model import Library
from nlu.reading import Reader, Reading
from store.clock import Clock
from tickets.record import Record


@dataclass(frozen=True, slots=True)
class Turn:
    """Takes one stimulus at a time; holds no state of its own."""

    clock: Clock
    inbox: Inbox
    outbox: Outbox
    sessions: Sessions
    record: Record
    world: World
    library: Library
    reader: Reader

    def read(self, taken: Taken) -> Reading | None:
        """What the citizen's words mean; None where there are none. Amber when understanding fails."""
        return understand(self.reader, taken.kind, str(taken.body.get("text", "")))

    def take(self, tx: Connection, taken: Taken, reading: Reading | None) -> set[str]:
        """The whole turn, in the caller's transaction. Returns whom to wake after the commit.

        Raises LostLease when another worker has taken the stimulus over: then nothing of this is kept."""
        now, citizen = self.clock.now(), taken.citizen_id
        before = self.sessions.load(tx, taken)
        context = self.world.context(tx, citizen, before.language, now)
        stimulus = as_stimulus(tx, self.outbox, taken, reading)

        after = step(self.library, before, stimulus, context)

        deeds = Deeds(
            tx=tx,
            record=self.record,
            outbox=self.outbox,
            citizen=citizen,
            channel=taken.channel,
            language=after.session.language,
            now=now,
            ticket=self.record.id_of(tx, before.case.ref if before.case else None),
        )
        deeds.do(after.events)
        self.sessions.save(tx, citizen, after.session, now)
        self.inbox.finish(tx, taken, StimulusState.done, now)
        return deeds.rung
