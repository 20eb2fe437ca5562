"""The web chat's doors: what is kept, what is refused, what is shown again after everything went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Blocked, Outgoing
from bot.channels.web.history import News
from bot.channels.web.identity import mark_of
from bot.message import Lane, Message
from flows.events import Button
from flows.session import StimulusKind
from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tests.bot.web_house import Browser, House, open_house

ASKED = Message("food_aid.today", "Έχετε φαγητό;", (Button("enough", "Ναι"), Button("nothing", "Όχι")))


@pytest.fixture
async def house(
    database: Database, vault: Vault, ids: Ids, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[House]:
    async with open_house(database, vault, ids, clock, tmp_path) as opened:
        yield opened


async def test_what_is_written_is_kept_once_and_shown_again(house: House) -> None:
    await house.client.get("/chat/")
    for _ in range(3):
        answer = await house.post("/chat/messages", {"text": "πεινάω", "id": "m1"})
        assert (answer.status, await answer.json()) == (200, {"ok": True})
    (stimulus,) = await house.taken()
    assert (stimulus.kind, stimulus.body["text"]) == (StimulusKind.said, "πεινάω")
    item = await Browser(house).until("item")
    assert (item["by"], item["text"], item["mine"]) == ("citizen", "πεινάω", "m1")


async def test_two_browsers_are_two_citizens_even_with_the_same_message_id(house: House) -> None:
    for words in ("πρώτη", "δεύτερη"):
        house.client.session.cookie_jar.clear()
        await house.client.get("/chat/")
        await house.post("/chat/messages", {"text": words, "id": "same"})
    first, second = await house.taken()
    assert first.citizen_id != second.citizen_id


async def test_the_stream_goes_on_after_a_lost_connection_and_forgets_nothing(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "πεινάω", "id": "m1"})
    (stimulus,) = await house.taken()
    browser = Browser(house)
    await browser.until("item")
    await house.says(stimulus.citizen_id, ASKED)
    again = await browser.until("item", lambda item: item["by"] == "bot")
    assert again["text"] == "Έχετε φαγητό;"
    assert int(browser.place) == int(again["id"])


async def test_a_row_that_was_committed_late_is_not_skipped(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "πεινάω", "id": "m1"})
    (stimulus,) = await house.taken()
    row = await house.says(stimulus.citizen_id, ASKED)
    later = Browser(house, place=str(row + 5))  # as if a greater id had been shown before this row was there
    assert (await later.until("item", lambda item: item["by"] == "bot"))["id"] == str(row)


async def test_an_open_stream_is_woken_by_the_bell(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "πεινάω", "id": "m1"})
    (stimulus,) = await house.taken()
    browser = Browser(house)
    shown = asyncio.create_task(browser.until("item", lambda item: item["by"] == "bot"))
    await _eventually(lambda: "item" in browser.seen)
    await house.says(stimulus.citizen_id, ASKED)
    item = await asyncio.wait_for(shown, 5)
    assert item["text"] == "Έχετε φαγητό;"
    assert [label for _, label in item["buttons"]] == ["Ναι", "Όχι"]


async def test_a_tap_brings_the_button_back_and_is_shown_with_its_label(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "πεινάω", "id": "m1"})
    (stimulus,) = await house.taken()
    await house.says(stimulus.citizen_id, ASKED)
    asked: Any = (await _all(house, stimulus.citizen_id))[-1]
    await house.post("/chat/taps", {"button": asked["buttons"][1][0], "id": "t1"})
    (tapped,) = await house.taken()
    button = await house.db.read(lambda tx: house.outbox.button(tx, tapped.citizen_id, tapped.body["button"]))
    assert button == Button("nothing", "Όχι")
    last = (await _all(house, stimulus.citizen_id))[-1]
    assert (last["kind"], last["text"]) == ("tapped", "Όχι")


async def test_human_words_and_danger_are_marked(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "γεια", "id": "m1"})
    (stimulus,) = await house.taken()
    await house.says(stimulus.citizen_id, Message("crisis.stay", "Είμαι εδώ.", lane=Lane.urgent))
    await house.says(stimulus.citizen_id, Message("human", "Είμαι η Ελένη.", lane=Lane.urgent))
    items = await _all(house, stimulus.citizen_id)
    assert [(item["by"], item["urgent"]) for item in items] == [
        ("citizen", False),
        ("bot", True),
        ("human", True),
    ]


async def test_typing_is_told_while_a_message_waits_for_its_turn(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "γεια", "id": "m1"})
    assert (await Browser(house).until("typing"))["on"] is True


async def test_a_place_is_kept(house: House) -> None:
    await house.post("/chat/place", {"latitude": 35.34, "longitude": 25.14, "id": "p1"})
    (stimulus,) = await house.taken()
    assert (stimulus.kind, stimulus.body["place"]) == (StimulusKind.located, [35.34, 25.14])


async def test_opening_greets_once(house: House) -> None:
    await house.client.get("/chat/")
    for _ in range(2):
        await house.post("/chat/open", {})
    (stimulus,) = await house.taken()
    assert stimulus.kind is StimulusKind.opened


async def test_quick_exit_leaves_nothing_behind_in_the_browser(house: House) -> None:
    page = await house.client.get("/chat/")
    token = page.cookies["limani_chat"].value
    await house.post("/chat/messages", {"text": "φοβάμαι", "id": "m1"})
    (stimulus,) = await house.taken()
    answer = await house.post("/chat/leave", {})
    assert answer.status == 204
    assert answer.cookies["limani_chat"].value == ""
    assert await house.db.read(lambda tx: house.citizens.find(tx, "web", token)) is None
    row = await house.db.read(lambda tx: house.citizens.latest(tx, stimulus.citizen_id))
    with pytest.raises(Blocked):
        await house.channel.send(house.citizens.open(row).address, Outgoing("πού είστε;"))


async def test_an_open_stream_is_told_that_the_chat_was_left(house: House) -> None:
    await house.client.get("/chat/")
    await house.post("/chat/messages", {"text": "φοβάμαι", "id": "m1"})
    gone = asyncio.create_task(Browser(house).until("gone"))
    await Browser(house).until("item")
    await house.post("/chat/leave", {})
    assert await gone == {}


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}],
)
async def test_a_foreign_page_posts_nothing(house: House, headers: dict[str, str]) -> None:
    for path in ("/chat/messages", "/chat/taps", "/chat/place", "/chat/leave", "/chat/open"):
        answer = await house.post(path, {"text": "x", "id": "m1"}, **headers)
        assert answer.status == 403
    assert await house.taken() == []


async def test_our_own_page_posts_with_its_origin(house: House) -> None:
    origin = str(house.client.make_url("/")).rstrip("/")
    answer = await house.post("/chat/messages", {"text": "γεια", "id": "m1"}, Origin=origin)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text":"x","id":"m1"}', "text/plain"),
        (b"text=x&id=m1", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"text":"x"}', "application/json"),
        (b'{"text":"x","id":"a b"}', "application/json"),
        (b'{"text":"  ","id":"m1"}', "application/json"),
        (b'{"text":5,"id":"m1"}', "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
)
async def test_what_is_no_message_gets_a_kind_sentence(house: House, body: bytes, kind: str) -> None:
    answer = await house.client.post("/chat/messages", data=body, headers={"Content-Type": kind})
    assert answer.status in (400, 415)
    assert (await answer.json())["say"]
    assert await house.taken() == []


async def test_long_and_odd_texts_are_taken_whole(house: House) -> None:
    for number, text in enumerate(("α" * 50_000, "🙂🌊" * 12_000, "أحتاج إلى مساعدة", "a\x00b")):
        assert (await house.post("/chat/messages", {"text": text, "id": f"m{number}"})).status == 200
        (stimulus,) = await house.taken()
        assert stimulus.body["text"] == text


async def test_half_a_character_does_not_cost_the_message(house: House) -> None:
    answer = await house.client.post(
        "/chat/messages",
        data=b'{"text":"help \\ud83d","id":"m1"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 200
    (stimulus,) = await house.taken()
    assert stimulus.body["text"].startswith("help ")


async def test_what_is_too_long_is_told_kindly(house: House) -> None:
    for text in ("α" * 50_001, "x" * 900_000):
        answer = await house.post("/chat/messages", {"text": text, "id": "m1"})
        assert answer.status == 413
        assert "μικρότερα" in (await answer.json())["say"]


async def test_the_page_says_what_it_is_in_both_languages(house: House) -> None:
    greek = await (await house.client.get("/chat/")).text()
    english = await (await house.client.get("/chat/", headers={"Accept-Language": "en-GB,en"})).text()
    assert "αυτόματο πρόγραμμα" in greek
    assert "an automated program" in english
    assert 'href="tel:112"' in greek
    for number in ("112", "166", "1018", "10306"):
        assert f'href="tel:{number}">{number}</a>' in greek


async def test_the_page_may_be_framed_only_by_who_is_named(
    vault: Vault, ids: Ids, clock: ManualClock, tmp_path: Path, database: Database
) -> None:
    origins = ("'self'", "https://town.example")
    async with open_house(database, vault, ids, clock, tmp_path, frame_ancestors=origins) as house:
        page = await house.client.get("/chat/")
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://town.example" in policy
    assert "default-src 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"


async def test_over_https_the_cookie_is_locked_to_the_host(
    vault: Vault, ids: Ids, clock: ManualClock, tmp_path: Path, database: Database
) -> None:
    async with open_house(database, vault, ids, clock, tmp_path, public_url="https://chat.example") as house:
        alone = await house.client.get("/chat/")
        house.client.session.cookie_jar.clear()
        inside = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
        framed = await house.client.get("/chat/", headers=inside)
    own = alone.headers["Set-Cookie"]
    assert own.startswith("__Host-limani_chat=")
    assert all(part in own for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"))
    embedded = framed.headers["Set-Cookie"]
    assert embedded.startswith("__Host-limani_embedded=")
    assert all(part in embedded for part in ("HttpOnly", "Secure", "SameSite=None", "Partitioned"))


async def test_a_browser_without_a_chat_is_told_not_to_come_back(house: House) -> None:
    assert (await house.client.get("/chat/events")).status == 204


def test_the_mark_of_a_token_does_not_show_it() -> None:
    assert mark_of("a" * 43) != mark_of("b" * 43)
    assert "a" * 8 not in mark_of("a" * 43)


async def _eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


async def _all(house: House, citizen: int) -> list[dict[str, object]]:
    row = await house.db.read(lambda tx: house.citizens.latest(tx, citizen))
    address = house.citizens.open(row).address
    news: News = await house.db.read(lambda tx: house.history.news(tx, address, 0))
    return [item.as_json() for item in news.items]
