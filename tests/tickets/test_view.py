"""Tickets as others see them: every name of the contract, times in UTC, newest first, no phones."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import Connection, insert, select

from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.schema import attempts, pages, tickets
from store.vault import Vault
from tests.bot.floor import Floor, make_floor
from tickets.view import list_tickets, show_ticket

NAMES = {
    *("ref", "opened_at", "topic", "risk", "status", "channel", "language", "district", "assigned_to"),
    *("answers", "entries", "pages", "first_human_word_at", "closed_at", "outcome"),
}


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


async def rung(floor: Floor, ticket: int, *states: str) -> None:
    """A page with one attempt for each state."""

    def work(tx: Connection) -> None:
        now = floor.clock.now()
        floor.record.need_page(tx, ticket, now)
        page = tx.execute(select(pages.c.id).where(pages.c.ticket_id == ticket)).scalar_one()
        for state in states:
            row = {"id": floor.ids.new(), "page_id": page, "state": state, "at": now, "tries": 1}
            whole = {**row, "round": 0, "step": 0, "person": "eleni", "means": "voice", "keys": "4"}
            tx.execute(insert(attempts).values(**whole, provider_seq=-1))

    await floor.write(work)


async def test_an_unknown_reference_is_nothing(floor: Floor) -> None:
    assert await floor.db.read(lambda tx: show_ticket(tx, floor.record, "HRK-XXXX")) is None
    assert await floor.db.read(lambda tx: list_tickets(tx, floor.record)) == []


async def test_a_ticket_has_every_name_of_the_contract(floor: Floor) -> None:
    ticket = await floor.open_ticket(
        await floor.meet(), "HRK-7F3K", risk="red", answers={"name": "Μαρία"}, district="Πόρος"
    )
    floor.pass_time(seconds=1.5)
    await floor.write(
        lambda tx: floor.record.add(tx, ticket, "citizen", "said", "δεν αντέχω 😔", floor.clock.now())
    )
    await rung(floor, ticket, "ringing")
    shown = await floor.db.read(lambda tx: show_ticket(tx, floor.record, "hrk-7f3k"))
    assert shown is not None
    assert set(shown) >= NAMES
    assert shown["opened_at"] == "2026-11-24T08:00:00.000Z"
    assert (shown["answers"], shown["district"]) == ({"name": "Μαρία"}, "Πόρος")
    assert shown["entries"][-1] == {
        "at": "2026-11-24T08:00:01.500Z",
        "by": "citizen",
        "kind": "said",
        "text": "δεν αντέχω 😔",
    }
    assert shown["pages"] == [
        {"at": "2026-11-24T08:00:01.500Z", "to": "eleni", "by": "voice", "outcome": "ringing"}
    ]
    json.dumps(shown)


async def test_what_is_about_to_be_sent_counts_as_ringing(floor: Floor) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", risk="red")
    states = ("due", "sending", "ringing", "machine", "busy", "unknown", "acknowledged")
    await rung(floor, ticket, *states)
    shown = await floor.db.read(lambda tx: show_ticket(tx, floor.record, "HRK-7F3K"))
    assert shown is not None
    outcomes = [page["outcome"] for page in shown["pages"]]
    assert outcomes == ["ringing", "ringing", "ringing", "machine", "busy", "unknown", "acknowledged"]


async def test_stories_are_not_mixed_up_across_batches(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickets.view._BATCH", 3)
    citizen = await floor.meet()
    refs = [f"HRK-AAA{letter}" for letter in "3479ACD"]
    for ref in refs:
        ticket = await floor.open_ticket(citizen, ref)
        await floor.write(
            lambda tx, t=ticket, r=ref: floor.record.add(tx, t, "nikos", "note", r, floor.clock.now())  # type: ignore[misc]
        )
    found = await floor.db.read(lambda tx: list_tickets(tx, floor.record))
    assert [ticket["ref"] for ticket in found] == refs[::-1]
    assert all(ticket["entries"][-1]["text"] == ticket["ref"] for ticket in found)


async def test_a_query_narrows_and_orders(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.open_ticket(citizen, "HRK-AAA3", risk="red")
    await floor.open_ticket(citizen, "HRK-AAA4")
    await floor.open_ticket(citizen, "HRK-AAA7", risk="red")
    query = select(tickets).where(tickets.c.risk == "red").order_by(tickets.c.id)
    found = await floor.db.read(lambda tx: list_tickets(tx, floor.record, query))
    assert [ticket["ref"] for ticket in found] == ["HRK-AAA3", "HRK-AAA7"]


async def test_no_address_of_anybody_is_shown(floor: Floor) -> None:
    await floor.open_ticket(await floor.meet("306900000071"), "HRK-7F3K")
    shown = json.dumps(await floor.db.read(lambda tx: list_tickets(tx, floor.record)))
    assert not re.search(r"\+?30\d{10}", shown)
