"""Sends what the outbox holds, as fast as each channel allows, urgent messages first.

Messages come by two ways: handed over by the turn that said them, or claimed from the outbox where they
waited. What came of them is written in groups, so that one commit settles many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import Connection

from bot.channels.base import Blocked, Channel, Misconfigured, Moved, Rejected, Retry, SendError, Unknown
from bot.citizens import Citizens
from bot.message import MOST_TRIES, Claimed, Hands
from bot.outbox import Outbox
from bot.pace import Pace, Stopped
from store.bell import Bell
from store.clock import Clock, monotonic, to_micros
from store.database import Database, StoreUnavailable
from store.figures import Figures
from store.ids import Ids
from tickets.record import Record

log = structlog.get_logger()
_AT_ONCE = 256
_TROUBLE = 4  # tries after which staff hear that an urgent message does not leave
_LEASED_SECONDS = 2  # what is claimed must leave well within its lease, however slow the channel is
_OLD_LEASE = 3.0  # seconds after which a lease is renewed before a request: what is left must outlast it
_AGAIN = 1.0  # seconds before an outcome that the store did not take is offered to it again


class _Gone(Exception):
    """The lease ran out while we waited."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one message; `back` = it was not begun and goes back as it was."""

    claimed: Claimed
    provider_id: str | None = None
    error: SendError | None = None
    back: bool = False


class Pacer(Protocol):
    """How fast a channel may be spoken to (bot.pace)."""

    async def turn(self, chat: int, turn: int, *, urgent: bool) -> None: ...

    def stop(self) -> None: ...


class Sender:
    """The loop over the outbox. `hands` is what a turn needs to hand messages over; `paces` is how fast each
    channel may be spoken to, this process's own where it is not shared."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        citizens: Citizens,
        record: Record,
        channels: Mapping[str, Channel],
        paces: Mapping[str, Pacer] | None = None,
        figures: Figures | None = None,
    ) -> None:
        self._db, self._bell, self._clock = db, bell, clock
        self._outbox, self._citizens, self._record = outbox, citizens, record
        self._channels = channels
        self._figures = figures or Figures()
        self._owner = ids.token(8)
        self._paces: Mapping[str, Pacer] = paces or {
            name: Pace(channel.limits.rate, channel.limits.chat_rate) for name, channel in channels.items()
        }
        self._most = {
            name: max(1, min(_AT_ONCE, int(channel.limits.rate * _LEASED_SECONDS)))
            for name, channel in channels.items()
        }
        self._sending = dict.fromkeys(channels, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcomes: list[_Outcome] = []
        self._writing: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def hands(self) -> Hands:
        """How many messages of each channel may be handed over now."""
        room = {name: most - self._sending[name] for name, most in self._most.items()}
        return Hands(self._owner, {} if self._stopping else room)

    def take(self, messages: Sequence[Sequence[Claimed]]) -> None:
        """Sends messages whose lease is ours and whose transaction is committed; each list in its order."""
        for row in messages:
            self._sending[row[0].channel] += len(row)
            self._figures.count("claimed", "outbox", by=len(row))
            task = asyncio.create_task(self._send(row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def tick(self) -> bool:
        """Claims what is due and sends it beside each other. True if there may be more."""
        hands = self.hands
        room = {name: free for name, free in hands.room.items() if free > 0}
        if not room:
            return False

        def work(tx: Connection) -> list[Claimed]:
            now = self._clock.now()
            for ticket in self._outbox.recover(tx, now):
                self._note(tx, ticket, "perhaps not delivered: the channel did not answer twice")
            return self._outbox.claim(tx, hands.owner, now, room)

        claimed = await self._db.write(work)
        self.take([[message] for message in claimed])
        return bool(claimed)

    async def settle(self) -> None:
        """Waits until everything that was claimed has its outcome (shutdown, transcripts)."""
        while self._tasks or self._writing is not None:
            await asyncio.wait([*self._tasks, *([self._writing] if self._writing else [])])

    async def stop(self) -> None:
        """What still waits for its turn goes back to the outbox; what is under way gets its outcome."""
        self._stopping = True
        for pace in self._paces.values():
            pace.stop()
        await self.settle()

    async def _send(self, row: Sequence[Claimed]) -> None:
        """One address's messages, one after the other; if one does not leave, the rest waits behind it."""
        leased = monotonic()
        for at, claimed in enumerate(row):
            try:
                await self._turn(claimed)
                if monotonic() - leased > _OLD_LEASE:
                    leased = monotonic()
                    await self._renew(row[at:])
            except (Stopped, StoreUnavailable):
                self._give_back(row[at:])
                return
            except _Gone:
                self._forget(row[at:])
                return
            outcome = await self._outcome(claimed)
            self._tell(outcome)
            if outcome.error is not None:
                self._give_back(row[at + 1 :])
                return

    async def _turn(self, claimed: Claimed) -> None:
        """Returns when the channel may be spoken to. Raises Stopped."""
        turn = to_micros(claimed.said_at)
        await self._paces[claimed.channel].turn(claimed.address_id, turn, urgent=claimed.message.urgent)

    async def _renew(self, row: Sequence[Claimed]) -> None:
        """What was waited for (the pace, a slow provider) has used the lease up. Raises _Gone if it ran out,
        StoreUnavailable."""
        now = self._clock.now()
        if len(await self._db.write(lambda tx: self._outbox.renew(tx, row, now))) < len(row):
            raise _Gone

    def _give_back(self, row: Sequence[Claimed]) -> None:
        for claimed in row:
            self._tell(_Outcome(claimed, back=True))

    def _forget(self, row: Sequence[Claimed]) -> None:
        """Somebody else says these now: nothing is written of them."""
        for claimed in row:
            self._sending[claimed.channel] -= 1

    async def _outcome(self, claimed: Claimed) -> _Outcome:
        try:
            return _Outcome(claimed, await self._say(self._channels[claimed.channel], claimed))
        except SendError as error:
            return _Outcome(claimed, error=error)
        except Exception as error:  # an adapter's bug: the request may have been written
            log.error("channel_failed", channel=claimed.channel, error=type(error).__name__)
            return _Outcome(claimed, error=Unknown(type(error).__name__))

    async def _say(self, channel: Channel, claimed: Claimed) -> str | None:
        if claimed.doubts:
            await self._begin(channel, claimed)
        return await channel.send(claimed.address, claimed.message)

    async def _begin(self, channel: Channel, claimed: Claimed) -> None:
        """A message in doubt is said only to a provider that answers, and notes first that it is the last
        time. Raises Retry."""
        if not await channel.answers():
            raise Retry("no answer")
        try:
            if not await self._db.write(lambda tx: self._outbox.begin(tx, claimed, self._clock.now())):
                raise Retry("lease lost")  # whoever has it now says it
        except StoreUnavailable:
            raise Retry("store") from None

    def _tell(self, outcome: _Outcome) -> None:
        """Hands an outcome to the one task that writes them."""
        self._sending[outcome.claimed.channel] -= 1
        self._outcomes.append(outcome)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Writes outcomes until there are none. What the store does not take is kept and offered again: a
        message that has been sent must not be sent again for want of a note."""
        try:
            while self._outcomes:
                some, self._outcomes = self._outcomes, []
                try:
                    waits = await self._db.write(lambda tx, some=some: self._settle(tx, some))  # type: ignore[misc]
                except StoreUnavailable:
                    self._outcomes = [*some, *self._outcomes]
                    if self._stopping:
                        return  # the leases run out by themselves
                    await asyncio.sleep(_AGAIN)
                    continue
                except Exception as error:
                    await self._write_apart(some, error)
                    continue
                self._bell.ring("console", *(["outbox"] if waits else []))
        finally:
            self._writing = None

    async def _write_apart(self, some: Sequence[_Outcome], error: Exception) -> None:
        """One of these cannot be written: the others are. Its lease runs out, and it counts as in doubt."""
        for one in some:
            try:
                await self._db.write(lambda tx, one=one: self._settle(tx, [one]))  # type: ignore[misc]
            except Exception as its_own:
                log.error("outcome_lost", channel=one.claimed.channel, error=type(its_own).__name__)
        log.error("outcomes_apart", count=len(some), error=type(error).__name__)
        self._bell.ring("outbox", "console")

    def _settle(self, tx: Connection, some: Sequence[_Outcome]) -> bool:
        """Writes what came of these. True if something waits behind one of them."""
        now = self._clock.now()
        well = [one for one in some if one.error is None and not one.back]
        self._outbox.all_sent(tx, [(one.claimed, one.provider_id) for one in well], now)
        for one in some:
            if one.back:
                self._outbox.give_back(tx, one.claimed, now)
            elif one.error is not None:
                self._failed(tx, one.claimed, one.error)
        return bool(self._outbox.busy(tx, list({one.claimed.address_id for one in some})))

    def _failed(self, tx: Connection, claimed: Claimed, error: SendError) -> None:
        now = self._clock.now()
        match error:
            case Retry():
                self._outbox.retry(tx, claimed, error.why, error.after, now)
                self._tell_of_trouble(tx, claimed)
            case Unknown():
                self._outbox.doubt(tx, claimed, error.why, now)
                if claimed.doubts:
                    self._note(tx, claimed.ticket, "perhaps not delivered: the channel did not answer twice")
            case Moved():
                self._citizens.move(tx, claimed.address_id, claimed.channel, error.address)
                self._outbox.retry(tx, claimed, error.why, 0, now)
            case Blocked():
                self._outbox.block(tx, claimed, error.why, now)
                self._note(tx, claimed.ticket, "not delivered: the citizen does not receive messages")
            case Rejected():
                self._outbox.fail(tx, claimed, error.why)
                self._note(tx, claimed.ticket, "not delivered: the channel refused the message")
            case Misconfigured():
                log.error("channel_misconfigured", channel=claimed.channel, why=error.why)
                self._outbox.retry(tx, claimed, error.why, 10, now)
                self._tell_of_trouble(tx, claimed)
            case _:
                self._outbox.doubt(tx, claimed, error.why, now)

    def _tell_of_trouble(self, tx: Connection, claimed: Claimed) -> None:
        """Once when an urgent message cannot leave for a while, once when it is given up."""
        if claimed.attempts >= MOST_TRIES:
            self._note(tx, claimed.ticket, "not delivered: given up, the channel does not take it")
        elif claimed.message.urgent and claimed.attempts == _TROUBLE:
            words = "not delivered yet: the channel does not take messages, we go on trying"
            self._note(tx, claimed.ticket, words)

    def _note(self, tx: Connection, ticket: int | None, words: str) -> None:
        """Staff see at the ticket that the citizen has not heard us."""
        if ticket is not None:
            self._record.add(tx, ticket, "system", "status", words, self._clock.now())
