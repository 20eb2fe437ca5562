"""Pages learn of every change within a second or so, whoever made it, and of nothing they may not see."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from console.watch import Watch
from escalation.people import disable
from store.bell import Bell
from tests.console.conftest import Browser, House, sign_in

REF = "HRK-7F3K"
WORDS = "Δεν έχω πού να κοιμηθώ"


@pytest.fixture
async def case(house: House) -> int:
    """A case that nobody has."""
    ticket: int = await house.do(lambda tx: house.town.case(tx, house.clock.now(), REF))
    return ticket


class Stream:
    """Reads events off an answer."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer
        self.seen = ""

    async def next(self, event: str = "") -> dict[str, str]:
        """The next event, or the next of a kind."""
        while True:
            found: dict[str, str] = {}
            while line := (await asyncio.wait_for(self._answer.content.readline(), 10)).decode().rstrip("\n"):
                self.seen += line
                name, _, value = line.partition(": ")
                found[name] = value
            if self._answer.content.at_eof():
                return {}
            if "event" in found and event in ("", found["event"]):
                return found


async def _open(browser: Browser, **headers: str) -> Stream:
    answer = await browser.get("/console/events", headers=headers)
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    return Stream(answer)


async def _settled(stream: Stream) -> str:
    """Waits for the greeting, and for the first look that changes are measured against."""
    hello = await stream.next("hello")
    return hello["id"]


async def test_a_change_by_another_process_is_seen_without_a_bell(
    house: House, case: int, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    stream = await _open(browser)
    await _settled(stream)
    await asyncio.sleep(0)
    await _say(house, case, stream)
    assert json.loads((await stream.next("change"))["data"])["ref"] == REF
    assert WORDS not in stream.seen, "a stream carries references, never words"


async def test_what_changed_is_told_apart(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    stream = await _open(browser)
    await _settled(stream)
    await _say(house, case, stream)
    first = json.loads((await stream.next("change"))["data"])
    assert first == {"ref": REF, "what": "words", "red": False}
    now = house.clock.now()
    await house.do(lambda tx: house.town.page(tx, case, now, "ringing", ("eleni", "voice", "ringing")))
    house.bell.ring("console")
    assert json.loads((await stream.next("change"))["data"])["what"] == "page"


async def test_who_comes_back_is_told_what_was_missed(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    first = await _open(browser)
    mark = await _settled(first)
    await _say(house, case, first)
    await first.next("change")
    again = await _open(browser, **{"Last-Event-ID": mark})
    assert json.loads((await again.next("change"))["data"])["ref"] == REF


@pytest.mark.parametrize("mark", ["", "nonsense", "abc-1", "-", "x" * 300])
async def test_a_mark_that_nobody_knows_means_look_at_everything(
    case: int, browser: Browser, mark: str
) -> None:
    await sign_in(browser, "eleni")
    stream = await _open(browser, **{"Last-Event-ID": mark} if mark else {})
    await stream.next("hello")
    if mark:
        assert (await stream.next())["event"] == "refresh"


async def test_a_disabled_account_sees_nothing_more(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    async with house.browser(beat=0.05) as quick:
        await sign_in(quick, "nikos")
        stream = await _open(quick)
        await _settled(stream)
        await house.do(lambda tx: disable(tx, "nikos", house.clock.now()))
        assert await stream.next() == {}, "the stream ends"


async def test_a_server_that_stops_does_not_wait_for_its_pages(house: House, case: int) -> None:
    async with asyncio.timeout(5):
        async with house.browser() as browser:
            await sign_in(browser, "eleni")
            await _settled(await _open(browser))


async def test_nobody_looks_while_no_page_is_open(house: House) -> None:
    counted = _Counting(house.db)
    watch = Watch(counted, Bell(), house.clock, house.ids)  # type: ignore[arg-type]
    with watch.listen():
        await counted.looked.wait()
    await asyncio.sleep(0)
    looks = counted.looks
    house.clock.advance(timedelta(minutes=1))
    assert counted.looks == looks


class _Counting:
    """A database that counts how often it is read."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.looks = 0
        self.looked = asyncio.Event()

    async def read(self, work: Any) -> Any:
        self.looks += 1
        self.looked.set()
        return await self._db.read(work)


async def _say(house: House, case: int, stream: Stream) -> None:
    now = house.clock.now()
    await house.do(lambda tx: house.record.add(tx, case, "citizen", "said", WORDS, now))
