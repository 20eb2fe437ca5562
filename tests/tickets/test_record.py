"""The record: every change is an entry, states move only as allowed, and one page is owed at a time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.schema import entries, pages, tickets
from store.vault import Vault
from tests.bot.floor import Floor, make_floor


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


async def ticket_row(floor: Floor, ticket: int) -> Row[Any]:
    return await floor.db.read(lambda tx: tx.execute(select(tickets).where(tickets.c.id == ticket)).one())


async def log(floor: Floor, ticket: int) -> list[tuple[str, str, str]]:
    query = select(entries).where(entries.c.ticket_id == ticket).order_by(entries.c.id)
    rows = await floor.db.read(lambda tx: tx.execute(query).all())
    return [(row.by, row.kind, floor.record.text_of(row)) for row in rows]


async def test_opening_writes_the_ticket_and_its_first_line(floor: Floor) -> None:
    ticket = await floor.open_ticket(
        await floor.meet(), "HRK-7F3K", topic="food_aid", answers={"people": 4, "name": "Μαρία"}
    )
    row = await ticket_row(floor, ticket)
    assert (row.ref, row.topic, row.status, row.assigned_to) == ("HRK-7F3K", "food_aid", "open", None)
    assert floor.record.open_answers(ticket, row.answers) == {"people": 4, "name": "Μαρία"}
    assert "Μαρία".encode() not in row.answers
    assert await log(floor, ticket) == [("system", "status", "opened")]


async def test_a_taken_reference_is_refused(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.open_ticket(citizen, "HRK-7F3K")
    with pytest.raises(IntegrityError):
        await floor.open_ticket(citizen, "HRK-7F3K")


@pytest.mark.parametrize("spoken", ["HRK-7F3K", "hrk-7f3k", " hrk - 7f3k ", "HRK-7F 3K"])
async def test_a_reference_is_found_as_people_say_it(floor: Floor, spoken: str) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    row = await floor.db.read(lambda tx: floor.record.by_ref(tx, spoken))
    assert row is not None
    assert row.id == ticket


@pytest.mark.parametrize("spoken", ["", "HRK-XXXX", "'; DROP TABLE tickets; --", "ΗRK-7F3K"])
async def test_a_reference_that_is_none_is_nobodys(floor: Floor, spoken: str) -> None:
    await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    assert await floor.db.read(lambda tx: floor.record.by_ref(tx, spoken)) is None


async def test_later_answers_replace_earlier_ones(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", answers={"people": 4, "area": "Πόρος"})
    await floor.write(lambda tx: floor.record.add_answers(tx, ticket, {"people": 5}, floor.clock.now()))
    row = await ticket_row(floor, ticket)
    assert floor.record.open_answers(ticket, row.answers) == {"people": 5, "area": "Πόρος"}


async def test_a_ticket_goes_through_its_life(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    record, now = floor.record, floor.clock.now()
    await floor.write(lambda tx: record.assign(tx, ticket, "nikos", now))
    assert (await ticket_row(floor, ticket)).assigned_to == "nikos"
    await floor.write(lambda tx: record.unassign(tx, ticket, now))
    row = await ticket_row(floor, ticket)
    assert (row.status, row.assigned_to) == ("open", None)
    assert await floor.write(lambda tx: record.close(tx, ticket, "eleni", "helped", now))
    row = await ticket_row(floor, ticket)
    assert (row.status, row.outcome, row.closed_at) == ("closed", "helped", now)
    assert await floor.write(lambda tx: record.reopen(tx, ticket, now))
    row = await ticket_row(floor, ticket)
    assert (row.status, row.outcome, row.closed_at, row.assigned_to) == ("open", None, None, None)
    assert [line[2] for line in await log(floor, ticket)] == [
        "opened",
        "assigned",
        "open",
        "closed helped",
        "reopened",
    ]


async def test_what_is_closed_stays_closed_until_it_is_reopened(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    record, now = floor.record, floor.clock.now()
    assert await floor.write(lambda tx: record.close(tx, ticket, "eleni", "helped", now))
    assert not await floor.write(lambda tx: record.close(tx, ticket, "nikos", "other", now))
    await floor.write(lambda tx: record.assign(tx, ticket, "nikos", now))
    row = await ticket_row(floor, ticket)
    assert (row.status, row.outcome, row.assigned_to) == ("closed", "helped", None)
    assert len(await log(floor, ticket)) == 2


async def test_an_open_ticket_is_not_reopened(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    await floor.write(lambda tx: floor.record.assign(tx, ticket, "nikos", floor.clock.now()))
    await floor.write(lambda tx: floor.record.close(tx, ticket, "nikos", "helped", floor.clock.now()))
    assert await floor.write(lambda tx: floor.record.reopen(tx, ticket, floor.clock.now()))
    assert not await floor.write(lambda tx: floor.record.reopen(tx, ticket, floor.clock.now()))


async def test_one_page_is_owed_at_a_time(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", risk="red")
    now = floor.clock.now()
    assert await floor.write(lambda tx: floor.record.need_page(tx, ticket, now))
    assert not await floor.write(lambda tx: floor.record.need_page(tx, ticket, now))
    await floor.write(lambda tx: tx.execute(pages.update().values(state="contacted")))
    assert await floor.write(lambda tx: floor.record.need_page(tx, ticket, now))
    rows = await floor.db.read(lambda tx: tx.execute(select(pages)).all())
    assert [(row.ticket_id, row.due_at) for row in rows] == [(ticket, now), (ticket, now)]


async def test_the_first_human_word_is_noted_once(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")
    first = floor.clock.now()
    await floor.write(lambda tx: floor.record.first_human_word(tx, ticket, first))
    floor.pass_time(minutes=5)
    await floor.write(lambda tx: floor.record.first_human_word(tx, ticket, floor.clock.now()))
    assert (await ticket_row(floor, ticket)).first_human_word_at == first


async def test_raised_risk_is_on_the_ticket_and_in_its_log(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", risk="amber")
    await floor.write(lambda tx: floor.record.raise_risk(tx, ticket, "red", "suicide", floor.clock.now()))
    row = await ticket_row(floor, ticket)
    assert (row.risk, row.risk_kind) == ("red", "suicide")
    assert (await log(floor, ticket))[-1] == ("system", "status", "risk red")
