"""Two processes that do the same at once: one page for a ticket, one rate for calls."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, func, insert, select

from escalation.attempts import Attempts
from escalation.watch import pageless
from store.clock import ManualClock
from store.database import Database, open_database
from store.ids import Ids
from store.schema import attempts, pages
from store.vault import Vault
from tests.bot.floor import Floor, make_floor
from tickets.states import AttemptState


@pytest.fixture
async def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    floor = make_floor(database, clock, ids, vault)
    for number in range(5):
        await floor.open_ticket(await floor.meet(f"100{number}"), f"HRK-7F3{number}", risk="red")
    return floor


async def test_two_pagers_that_look_at_once_make_one_page_for_each_ticket(
    floor: Floor, database_url: str, clock: ManualClock
) -> None:
    other = await open_database(database_url)

    def work(tx: Connection) -> None:
        for ticket in pageless(tx):
            floor.record.need_page(tx, ticket, clock.now())

    await asyncio.gather(*(db.write(work) for _ in range(5) for db in (floor.db, other)))
    await other.close()
    count = select(func.count(pages.c.id))
    assert await floor.db.read(lambda tx: tx.execute(count).scalar_one()) == 5


async def test_two_pagers_share_the_rate_of_calls(
    floor: Floor, database_url: str, clock: ManualClock
) -> None:
    """One call a second, whoever makes it; five wait."""
    other = await open_database(database_url)

    def owed(tx: Connection) -> None:
        for ticket in pageless(tx):
            floor.record.need_page(tx, ticket, clock.now())
        call = {"round": 0, "step": 0, "person": "eleni", "means": "voice", "keys": "45", "tries": 0}
        call |= {"provider_seq": -1, "at": clock.now(), "due_at": clock.now(), "state": AttemptState.due}
        for page in tx.execute(select(pages.c.id)).scalars().all():
            tx.execute(insert(attempts).values(id=floor.ids.new(), page_id=page, **call))

    await floor.db.write(owed)
    pagers = [(db, Attempts(floor.ids, name, 1.0)) for db, name in ((floor.db, "one"), (other, "two"))]
    made = []
    for _ in range(5):
        found = await asyncio.gather(
            *(db.write(lambda tx, p=pager: p.claim(tx, clock.now())) for db, pager in pagers)  # type: ignore[misc]
        )
        made.append(sum(len(jobs) for jobs in found))
        floor.pass_time(seconds=1.1)
    await other.close()
    assert made == [1] * 5
