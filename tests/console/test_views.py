"""What pages are made of, on both databases: lines, cases, and what a watcher sees change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from console.views import case_view, lines
from console.watch import look
from store.database import Database
from store.ids import Ids
from store.schema import pages, tickets
from store.vault import Vault
from tests.console.conftest import Browser, House, act, see, sign_in
from tests.console.town import Town, fill
from tickets.record import Record
from tickets.search import queue, red_alone

NOW = datetime.fromisoformat("2026-11-24T08:00:00+00:00")


@pytest.fixture
async def town(database: Database, vault: Vault, ids: Ids) -> Town:
    town = Town(vault, ids, Record(vault, ids))
    await database.write(lambda tx: fill(tx, town, NOW))
    return town


async def test_a_line_shows_the_last_words_and_whose_phone_rings(database: Database, town: Town) -> None:
    def work(tx: Connection) -> None:
        first, *_ = lines(tx, town.record, queue(tx, "eleni").waiting)
        assert first.row.ref == "HRK-7F3K"
        assert first.preview.endswith("· ναι"), "a short word brings the one before it along"
        assert first.preview.startswith("Δεν αντέχω άλλο.")
        assert first.writes
        assert first.ringing == ("nikos",)
        mine, *_ = lines(tx, town.record, queue(tx, "eleni").mine)
        assert (mine.preview, mine.page) == ("Τους ακούω στη σκάλα", None)

    await database.read(work)


async def test_a_case_tells_its_whole_story(database: Database, town: Town) -> None:
    def work(tx: Connection) -> None:
        row = town.record.by_ref(tx, "HRK-4MXA")
        assert row is not None
        view = case_view(tx, town.record, row)
        sides = [bubble.side for bubble in view.bubbles if bubble.side != "event"]
        assert sides == ["citizen", "bot", "human", "citizen", "note", "human", "citizen"]
        assert view.relayed
        assert view.answers["place"] == "Πόρος"
        assert [(a.person, a.means, a.state) for a in view.attempts] == [("eleni", "voice", "acknowledged")]
        assert (view.page is not None and view.page.state) == "contacted"
        assert view.undelivered == 0
        assert view.ringing == ()

    await database.read(work)


async def test_every_kind_of_change_changes_what_a_watcher_sees(database: Database, town: Town) -> None:
    since = NOW - timedelta(hours=1)
    row = await database.read(lambda tx: town.record.by_ref(tx, "HRK-7F3K"))
    assert row is not None
    ticket: int = row.id
    this_ticket = update(tickets).where(tickets.c.id == ticket)
    its_page = update(pages).where(pages.c.ticket_id == ticket)
    changes: tuple[Callable[[Connection], object], ...] = (
        lambda tx: town.record.add(tx, ticket, "citizen", "said", "ακόμα εδώ", NOW),
        lambda tx: tx.execute(this_ticket.values(wants_human=False)).rowcount,
        lambda tx: tx.execute(its_page.values(state="needed")).rowcount,
        lambda tx: town.record.close(tx, ticket, "nikos", "helped", NOW),
    )
    before = await database.read(lambda tx: look(tx, since))
    for change in changes:
        await database.write(change)
        after = await database.read(lambda tx: look(tx, since))
        assert before["HRK-7F3K"] != after["HRK-7F3K"]
        assert {ref for ref in before if before[ref] != after[ref]} == {"HRK-7F3K"}
        before = after


async def test_red_cases_without_a_person_are_counted(database: Database, town: Town) -> None:
    assert await database.read(red_alone) == 1
    row = await database.read(lambda tx: town.record.by_ref(tx, "HRK-7F3K"))
    assert row is not None
    assert await database.read(lambda tx: red_alone(tx, besides=row.id)) == 0


async def test_danger_without_a_person_is_seen_from_every_page(house: House, browser: Browser) -> None:
    await house.do(lambda tx: fill(tx, house.town, house.clock.now()))
    await sign_in(browser, "nikos")
    for path in ("/console/tickets", "/console/shift", "/console/tickets/HRK-4MXA"):
        assert "1 red case without a person" in await see(browser, path)
    assert "without a person" not in await see(browser, "/console/tickets/HRK-7F3K")
    await act(browser, "HRK-7F3K", "take")
    assert "without a person" not in await see(browser, "/console/shift")
