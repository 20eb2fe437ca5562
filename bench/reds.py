"""Red messages, and the request to Twilio that each of them led to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from random import Random

from sqlalchemy import create_engine, select

from bench import talk, updates
from bench.load import Crowd
from bench.openloop import arrivals, finish
from bench.run import RowFailed
from bench.servers import KEY
from bench.twilio_stub import TwilioStub
from store.schema import addresses, attempts, pages, tickets
from store.vault import Vault

_PATIENCE = 10.0


class Reds:
    """Citizens in danger, each writing once."""

    def __init__(self, crowd: Crowd, citizens: Iterator[int]) -> None:
        self._crowd, self._citizens = crowd, citizens
        self.sent: dict[int, int] = {}  # citizen -> nanosecond at which the message was due

    async def flow(self, rate: float, seconds: float) -> None:
        """So many a second, at random moments."""
        tasks: set[asyncio.Task[None]] = set()
        chance = Random(11)
        await arrivals(rate, seconds, chance, self.one, tasks)
        await finish(tasks)

    async def one(self, due: float) -> None:
        """One red message, due at this second of the monotonic clock."""
        number = len(self.sent)
        citizen = next(self._citizens)
        self.sent[citizen] = int(due * 1e9)
        self._crowd.ignore(citizen)
        await self._crowd.send(updates.said(citizen, talk.RED[number % len(talk.RED)]))

    async def waits(self, url: str, twilio: TwilioStub) -> list[float]:
        """Milliseconds from each message to its call, sorted. Raises RowFailed when one did not lead to a
        call."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while len(twilio.calls) < len(self.sent):
                    twilio.asked.clear()
                    await twilio.asked.wait()
        await asyncio.sleep(1)  # the outcome of the last one is being written
        called = await asyncio.to_thread(first_calls, url, twilio)
        missing = [citizen for citizen in self.sent if citizen not in called]
        if missing:
            raise RowFailed(f"{len(missing)} of {len(self.sent)} red messages led to no call")
        return sorted((called[citizen] - due) / 1e6 for citizen, due in self.sent.items())


def first_calls(url: str, twilio: TwilioStub) -> dict[int, int]:
    """Chat id of each citizen who has a call, and when the first was asked for."""
    engine = create_engine(url)
    query = (
        select(attempts.c.provider_id, addresses.c.id, addresses.c.address)
        .join(pages, pages.c.id == attempts.c.page_id)
        .join(tickets, tickets.c.id == pages.c.ticket_id)
        .join(addresses, addresses.c.citizen_id == tickets.c.citizen_id)
        .where(attempts.c.provider_id.in_(list(twilio.calls)))
    )
    vault = Vault([KEY])
    found: dict[int, int] = {}
    with engine.connect() as tx:
        for sid, row, sealed in tx.execute(query):
            at = twilio.calls.get(sid)
            if at is not None:
                chat = int(vault.open("addresses", row, "address", sealed))
                found[chat] = min(at, found.get(chat, at))
    engine.dispose()
    return found
