"""Who is shown first, and that the log finds what its filters ask for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tests.console.conftest import Browser, House, see, sign_in
from tests.console.town import Town
from tickets.record import Record
from tickets.search import Filters, Page, counts, queue, search

NOW = datetime.fromisoformat("2026-11-24T08:00:00+00:00")


@pytest.fixture
async def town(database: Database, vault: Vault, ids: Ids) -> Town:
    """Five cases: red, two amber, two calm; one is nikos's, one is closed."""
    town = Town(vault, ids, Record(vault, ids))
    await database.write(lambda tx: _five(tx, town, NOW))
    return town


def _five(tx: Connection, town: Town, now: datetime) -> None:
    town.case(tx, now - timedelta(hours=5), "HRK-AAAA", "food_aid")
    town.case(tx, now - timedelta(hours=1), "HRK-CCCC", "homelessness", "amber", channel="telegram")
    town.case(tx, now - timedelta(hours=2), "HRK-DDDD", "homelessness", "amber", channel="viber")
    town.case(tx, now - timedelta(minutes=1), "HRK-EEEE", "psych_support", "red", "suicide")
    done = town.case(tx, now - timedelta(days=3), "HRK-FFFF", "documents")
    town.record.assign(tx, done, "nikos", now - timedelta(days=3))
    town.record.close(tx, done, "nikos", "helped", now - timedelta(days=2))
    his = town.case(tx, now - timedelta(hours=9), "HRK-GGGG", "food_aid")
    town.record.assign(tx, his, "nikos", now - timedelta(hours=8))


async def test_danger_comes_first_then_whoever_waits_longest(database: Database, town: Town) -> None:
    found = await database.read(lambda tx: queue(tx, "nikos"))
    assert [row.ref for row in found.waiting] == ["HRK-EEEE", "HRK-DDDD", "HRK-CCCC", "HRK-AAAA"]
    assert [row.ref for row in found.mine] == ["HRK-GGGG"]
    assert list(found.others) == []
    assert found.last == NOW - timedelta(hours=9), "the newest row of all"


async def test_a_colleagues_case_is_among_the_others(database: Database, town: Town) -> None:
    found = await database.read(lambda tx: queue(tx, "eleni"))
    assert [row.ref for row in found.others] == ["HRK-GGGG"]
    assert list(found.mine) == []


@pytest.mark.parametrize(
    ("filters", "refs"),
    [
        (Filters(), "EEEE CCCC DDDD AAAA GGGG FFFF"),
        (Filters(status="closed"), "FFFF"),
        (Filters(risk="amber"), "CCCC DDDD"),
        (Filters(topic="food_aid"), "AAAA GGGG"),
        (Filters(channel="viber"), "DDDD"),
        (Filters(assigned="nikos"), "GGGG FFFF"),
        (Filters(assigned="nobody"), "EEEE CCCC DDDD AAAA"),
        (Filters(ref="gg"), "GGGG"),
        (Filters(ref="%"), ""),
        (Filters(ref="_"), ""),
        (Filters(since=NOW - timedelta(hours=2)), "EEEE CCCC DDDD"),
        (Filters(until=NOW - timedelta(hours=9)), "FFFF"),
        (Filters(reviewed=True), ""),
        (Filters(reviewed=False), "EEEE FFFF"),
        (Filters(risk="amber", channel="telegram"), "CCCC"),
        (Filters(status="' or 1=1 --"), ""),
    ],
)
async def test_filters(database: Database, town: Town, filters: Filters, refs: str) -> None:
    rows, total = await database.read(lambda tx: search(tx, filters, Page()))
    assert [row.ref.removeprefix("HRK-") for row in rows] == refs.split()
    assert total == len(rows)


async def test_paging_shows_every_case_once(database: Database, town: Town) -> None:
    seen = []
    for number in (1, 2, 3, 4):
        page = Page(number, 2)
        rows, total = await database.read(lambda tx, page=page: search(tx, Filters(), page))  # type: ignore[misc]
        assert total == 6
        seen += [row.ref for row in rows]
    assert len(seen) == len(set(seen)) == 6


async def test_counts_name_every_status(database: Database, town: Town) -> None:
    found = await database.read(counts)
    assert found == {"open": 4, "assigned": 1, "waiting": 0, "closed": 1}


async def test_the_most_urgent_case_is_the_large_one(house: House, browser: Browser) -> None:
    await house.do(lambda tx: _five(tx, house.town, house.clock.now()))
    await sign_in(browser, "eleni")
    text = await see(browser, "/console/")
    assert re.findall(r'id="hero-(HRK-\w+)"', text) == ["HRK-EEEE"]
    assert re.findall(r'id="line-(HRK-\w+)"', text) == ["HRK-DDDD", "HRK-CCCC", "HRK-AAAA", "HRK-GGGG"]
    assert "Needs a person now" in text


async def test_an_empty_queue_says_what_that_means(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    assert "No case has come in yet" in await see(browser, "/console/")
    await house.do(lambda tx: _one_closed(tx, house))
    assert "Nobody is waiting. Last case 10:00." in await see(browser, "/console/")
    assert "Take one from the queue" in await see(browser, "/console/")


async def test_the_log_keeps_its_filters_while_paging(house: House, browser: Browser) -> None:
    await house.do(lambda tx: _many_open(tx, house))
    await sign_in(browser, "eleni")
    text = await see(browser, "/console/tickets?topic=food_aid&assigned=nobody")
    assert "30 cases" in text
    assert "Page 1 of 2" in text
    older = re.search(r'rel="next" href="([^"]+)"', text)
    assert older is not None
    second = await see(browser, older[1].replace("&amp;", "&"))
    assert "Page 2 of 2" in second
    assert second.count("data-line") == 5


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=abc", "page=99999999999999999999", "since=yesterday", "until=9999-12-31",
     "status=%00", "ref=%F0%9F%98%80", "risk=red&risk=none", "since=2026-11-24&until=2026-11-24"],
)  # fmt: skip
async def test_a_strange_address_is_no_error(house: House, browser: Browser, query: str) -> None:
    await house.do(lambda tx: _five(tx, house.town, house.clock.now()))
    await sign_in(browser, "eleni")
    assert "All cases" in await see(browser, f"/console/tickets?{query}")


async def test_days_of_the_filter_are_days_of_the_town(house: House, browser: Browser) -> None:
    early = datetime.fromisoformat("2026-11-23T22:30:00+00:00")  # half past midnight of the 24th in Athens
    await house.do(lambda tx: house.town.case(tx, early, "HRK-NACH"))
    await sign_in(browser, "eleni")
    assert "HRK-NACH" in await see(browser, "/console/tickets?since=2026-11-24&until=2026-11-24")
    assert "HRK-NACH" not in await see(browser, "/console/tickets?until=2026-11-23")


async def test_an_empty_log_says_why(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    assert "No case has come in yet" in await see(browser, "/console/tickets")
    assert "No case fits these filters" in await see(browser, "/console/tickets?risk=red")


def _one_closed(tx: Connection, house: House) -> None:
    ticket = house.town.case(tx, house.clock.now(), "HRK-HHHH")
    house.record.close(tx, ticket, "eleni", "helped", house.clock.now())


def _many_open(tx: Connection, house: House) -> None:
    for number in range(30):
        house.town.case(tx, house.clock.now(), f"HRK-{number:04d}")
