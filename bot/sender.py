"""Sends what the outbox holds, as fast as each channel allows, urgent messages first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from bot.channels.base import Blocked, Channel, Misconfigured, Moved, Rejected, Retry, SendError, Unknown
from bot.citizens import Citizens
from bot.outbox import MOST_TRIES, Claimed, Outbox
from bot.pace import Pace, Stopped
from store.bell import Bell
from store.clock import Clock, to_micros
from store.database import Database
from store.ids import Ids
from tickets.record import Record

log = structlog.get_logger()
_AT_ONCE = 32
_TROUBLE = 4  # tries after which staff hear that an urgent message does not leave
_LEASED_SECONDS = 10  # what is claimed must leave well within its lease, however slow the channel is


class Sender:
    """The loop over the outbox."""

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
    ) -> None:
        self._db, self._bell, self._clock, self._ids = db, bell, clock, ids
        self._outbox, self._citizens, self._record = outbox, citizens, record
        self._channels = channels
        self._paces = {
            name: Pace(channel.limits.rate, channel.limits.chat_rate) for name, channel in channels.items()
        }
        self._most = {
            name: max(1, min(_AT_ONCE, int(channel.limits.rate * _LEASED_SECONDS)))
            for name, channel in channels.items()
        }
        self._sending: dict[str, set[asyncio.Task[None]]] = {name: set() for name in channels}

    async def tick(self) -> bool:
        """Claims what is due and sends it beside each other. True if there may be more."""
        room = {name: most - len(self._sending[name]) for name, most in self._most.items()}
        room = {name: free for name, free in room.items() if free > 0}
        owner = self._ids.token(8)
        claimed = await self._db.write(lambda tx: self._outbox.claim(tx, owner, self._clock.now(), room))
        for message in claimed:
            task = asyncio.create_task(self._send(message))
            self._sending[message.channel].add(task)
            task.add_done_callback(self._sending[message.channel].discard)
        return bool(claimed)

    async def settle(self) -> None:
        """Waits until everything that was claimed has its outcome (shutdown, transcripts)."""
        while sending := set().union(*self._sending.values()):
            await asyncio.wait(sending)

    async def stop(self) -> None:
        """What still waits for its turn goes back to the outbox; what is under way gets its outcome."""
        for pace in self._paces.values():
            pace.stop()
        await self.settle()

    async def _send(self, claimed: Claimed) -> None:
        provider_id, error = None, None
        try:
            provider_id = await self._say(self._channels[claimed.channel], claimed)
        except SendError as caught:
            error = caught
        except Exception as caught:  # an adapter's bug: the request may have been written
            log.error("channel_failed", channel=claimed.channel, error=type(caught).__name__)
            error = Unknown(type(caught).__name__)
        await self._db.write(lambda tx: self._settle(tx, claimed, provider_id, error))
        self._bell.ring("outbox", "console")

    async def _say(self, channel: Channel, claimed: Claimed) -> str | None:
        try:
            await self._paces[channel.name].turn(
                claimed.address_id, to_micros(claimed.said_at), urgent=claimed.message.urgent
            )
        except Stopped:
            raise Retry("stopping", 0) from None
        if claimed.doubts and not await channel.answers():
            raise Retry("no answer")
        return await channel.send(claimed.address, claimed.message)

    def _settle(
        self, tx: Connection, claimed: Claimed, provider_id: str | None, error: SendError | None
    ) -> None:
        now = self._clock.now()
        match error:
            case None:
                self._outbox.sent(tx, claimed, provider_id, now)
            case Retry():
                self._outbox.retry(tx, claimed, error.why, error.after, now)
                self._tell_of_trouble(tx, claimed)
            case Unknown():
                self._outbox.doubt(tx, claimed, error.why, now)
                if claimed.doubts:
                    self._tell(tx, claimed, "perhaps not delivered: the channel did not answer twice")
            case Moved():
                self._citizens.move(tx, claimed.address_id, claimed.channel, error.address)
                self._outbox.retry(tx, claimed, error.why, 0, now)
            case Blocked():
                self._outbox.block(tx, claimed, error.why, now)
                self._tell(tx, claimed, "not delivered: the citizen does not receive messages")
            case Rejected():
                self._outbox.fail(tx, claimed, error.why)
                self._tell(tx, claimed, "not delivered: the channel refused the message")
            case Misconfigured():
                log.error("channel_misconfigured", channel=claimed.channel, why=error.why)
                self._outbox.retry(tx, claimed, error.why, 10, now)
                self._tell_of_trouble(tx, claimed)
            case _:
                self._outbox.doubt(tx, claimed, error.why, now)

    def _tell_of_trouble(self, tx: Connection, claimed: Claimed) -> None:
        """Once when an urgent message cannot leave for a while, once when it is given up."""
        if claimed.attempts >= MOST_TRIES:
            self._tell(tx, claimed, "not delivered: given up, the channel does not take it")
        elif claimed.message.urgent and claimed.attempts == _TROUBLE:
            self._tell(tx, claimed, "not delivered yet: the channel does not take messages, we go on trying")

    def _tell(self, tx: Connection, claimed: Claimed, words: str) -> None:
        """Staff see at the ticket that the citizen has not heard us."""
        if claimed.ticket is not None:
            self._record.add(tx, claimed.ticket, "system", "status", words, self._clock.now())
