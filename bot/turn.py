"""The turn: one stimulus becomes an answer, a ticket and, where a life may be at stake, an obligation.

    reading      what the words mean, and whether they sound like danger (outside any transaction)
    one commit   load the session, step, make the events true, save, mark the stimulus done
    then         the outbox speaks, the pager rings, the console shows

Nothing that the world may see happens before the commit; nothing is forgotten after it. The turns of several
citizens share a commit: what each of them needs is loaded together, and what each of them writes is too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.deeds import Deeds, Gathered
from bot.inbox import Inbox, Taken
from bot.message import Claimed, Hands
from bot.outbox import Outbox
from bot.sessions import Sessions
from bot.stimulus import as_stimulus
from bot.understand import understand
from bot.waits import cancel_waits, set_waits
from bot.world import World
from flows.engine import step
from flows.events import TicketOpened
from flows.model import Library
from flows.session import Context, Session, Step, Stimulus
from nlu.reading import Reader, Reading
from store.clock import Clock
from tickets.record import Record

Heard = tuple[Taken, Reading | None]


@dataclass(frozen=True, slots=True)
class Turn:
    """Takes one stimulus of each of several citizens; holds no state of its own."""

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

    def take(
        self, tx: Connection, heard: Sequence[Heard], hands: Hands | None
    ) -> tuple[set[str], list[list[Claimed]]]:
        """The whole turn of each, in the caller's transaction. Returns whom to wake after the commit, and
        what `hands` may say at once.

        Raises LostLease when another worker has taken a stimulus over: then nothing of all this is kept."""
        now, several = self.clock.now(), [taken for taken, _ in heard]
        before = self.sessions.load(tx, several)
        world = self.world.contexts(tx, {who: session.language for who, session in before.items()}, now)
        gathered = Gathered()
        for taken, reading in heard:
            citizen = taken.citizen_id
            stimulus = as_stimulus(tx, self.outbox, taken, reading)

            after = self._step(tx, before[citizen], stimulus, world[citizen])

            language, case = after.session.language, before[citizen].case
            ticket = self.record.id_of(tx, case.ref if case else None)
            deeds = Deeds(tx, self.record, gathered, citizen, taken.channel, language, now, ticket)
            deeds.do(after.events)
            gathered.sessions[citizen] = after.session
        said = self._write(tx, gathered, hands)
        self.inbox.done(tx, several[0].owner, several, now)
        return gathered.rung, said

    def _step(self, tx: Connection, before: Session, stimulus: Stimulus, context: Context) -> Step:
        """The engine is pure: when the reference that it gave away was taken, it steps again with another."""
        after = step(self.library, before, stimulus, context)
        while any(isinstance(e, TicketOpened) and not self.world.free(tx, e.ref) for e in after.events):
            context = self.world.longer(context)
            after = step(self.library, before, stimulus, context)
        return after

    def _write(self, tx: Connection, gathered: Gathered, hands: Hands | None) -> list[list[Claimed]]:
        """What all turns of this transaction write: lines, words, sessions, waits."""
        now = self.clock.now()
        self.record.add_all(tx, gathered.entries)
        said = self.outbox.put_all(tx, gathered.messages, now, hands)
        self.sessions.save(tx, gathered.sessions, now)
        set_waits(tx, {who: wait for who, wait in gathered.waits.items() if wait is not None})
        cancel_waits(tx, [who for who, wait in gathered.waits.items() if wait is None])
        return said
