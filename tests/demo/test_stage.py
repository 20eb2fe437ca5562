"""The demo's stage: the whole product between three stand-ins, driven by the page's own doors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from limani.demo.stage import Stage, free_port, open_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(free_port(0), tmp_path) as opened:
        yield opened


@pytest.fixture
async def visitor(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stage.url) as session:
        yield session


async def test_the_page_stands_with_its_assets(visitor: aiohttp.ClientSession) -> None:
    page = await visitor.get("/", headers={"Accept-Language": "el"})
    html = await page.text()
    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for name in ("eleni", "nikos", "dora"):
        assert f'data-person="{name}"' in html
    for address in re.findall(r'(?:src|href)="(/(?:static|demo)/[^"#]+)', html):
        assert (await visitor.get(address)).status == 200, address
    english = await (await visitor.get("/?lang=en")).text()
    assert "I cannot go on" in english


@pytest.mark.parametrize("channel", ["telegram", "viber"])
async def test_a_word_on_a_messenger_gets_its_answer_and_its_beads(
    visitor: aiohttp.ClientSession, channel: str
) -> None:
    answer = await visitor.post(f"/demo/citizen/{channel}", json={"act": "say", "words": "πεινάω"})
    assert answer.status == 200

    def answered(seen: dict[str, Any]) -> bool:
        items = seen["phones"].get(channel, {}).get("items", [])
        return "answered" in _kinds(seen) and any(item["by"] == "bot" for item in items)

    seen = await _watch(visitor, answered)
    assert seen["phones"][channel]["items"][0]["text"] == "πεινάω"
    assert {"stored", "understood"} <= _kinds(seen)


async def test_danger_rings_and_two_keys_take_the_case(visitor: aiohttp.ClientSession) -> None:
    await visitor.post("/demo/citizen/telegram", json={"act": "say", "words": "δεν θέλω να ζω άλλο"})
    await _watch(visitor, lambda seen: _call(seen).get("status") == "ringing")
    assert (await _does(visitor, "pick_up")).status == 200
    for nth in (1, 2):
        seen = await _watch(visitor, partial(_asks_for_key, nth))
        await _does(visitor, "key", _keys(seen)[-1])
    seen = await _watch(visitor, lambda seen: "joined" in _kinds(seen))
    joined = next(bead for bead in seen["beads"] if bead["kind"] == "joined")
    assert joined["who"] == "eleni"
    assert {"ticket", "page", "ringing", "sms", "picked_up", "key"} <= _kinds(seen)
    assert "ζω" not in json.dumps(seen["beads"], ensure_ascii=False)


async def test_a_declined_call_goes_to_the_next_person(visitor: aiohttp.ClientSession) -> None:
    await visitor.post("/demo/citizen/viber", json={"act": "say", "words": "δεν θέλω να ζω άλλο"})
    await _watch(visitor, lambda seen: _call(seen).get("status") == "ringing")
    await _does(visitor, "decline")
    await _watch(visitor, lambda seen: _call(seen, "nikos").get("status") == "ringing")


async def test_what_cannot_be_done_now_is_refused(visitor: aiohttp.ClientSession) -> None:
    assert (await _does(visitor, "pick_up")).status == 409
    assert (await visitor.post("/demo/oncall/nobody", json={"act": "pick_up"})).status == 409
    assert (await visitor.post("/demo/citizen/pigeon", json={"act": "say", "words": "x"})).status == 409
    tapped = await visitor.post("/demo/citizen/telegram", json={"act": "tap", "words": "no such button"})
    assert tapped.status == 409
    foreign = await visitor.post(
        "/demo/fresh",
        json={},
        headers={"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert foreign.status == 403


async def test_another_citizen_has_an_empty_phone(visitor: aiohttp.ClientSession) -> None:
    await visitor.post("/demo/citizen/telegram", json={"act": "say", "words": "πεινάω"})
    await _watch(visitor, lambda seen: "answered" in _kinds(seen))
    await visitor.post("/demo/fresh", json={"language": "en"})
    seen = await _watch(visitor, lambda seen: bool(seen["phones"]))
    assert seen["phones"]["telegram"]["items"] == []


async def test_the_next_start_keeps_what_the_last_one_knew(tmp_path: Path) -> None:
    for words, tickets in (("δεν θέλω να ζω άλλο", 1), ("θέλω να πεθάνω", 2)):
        async with (
            open_stage(free_port(0), tmp_path) as stage,
            aiohttp.ClientSession(stage.url) as visitor,
        ):
            stage.phones.citizen += tickets  # two starts within one second are two citizens all the same
            await visitor.post("/demo/citizen/telegram", json={"act": "say", "words": words})
            await _watch(visitor, lambda seen: "ticket" in _kinds(seen))
            assert len(await stage.app.parts.db.read(_refs)) == tickets


def _refs(tx: Any) -> list[str]:
    from sqlalchemy import select

    from store.schema import tickets

    return list(tx.execute(select(tickets.c.ref)).scalars())


async def _does(visitor: aiohttp.ClientSession, act: str, words: str = "") -> aiohttp.ClientResponse:
    return await visitor.post("/demo/oncall/eleni", json={"act": act, "words": words})


async def _watch(visitor: aiohttp.ClientSession, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What a page that opens now has seen, once it is enough."""
    seen: dict[str, Any] = {"beads": [], "phones": {}}
    async with asyncio.timeout(20), visitor.get("/demo/events") as response:
        event = ""
        async for raw in response.content:
            field, _, value = raw.decode().rstrip("\n").partition(": ")
            if field == "event":
                event = value
            elif field == "data" and event == "bead":
                seen["beads"].append(json.loads(value))
            elif field == "data":
                seen["phones"] = json.loads(value)
            if field == "data" and enough(seen):
                return seen
    raise AssertionError("the stream ended")


def _asks_for_key(nth: int, seen: dict[str, Any]) -> bool:
    return len(_keys(seen)) >= nth and bool(_call(seen)["listening"])


def _kinds(seen: dict[str, Any]) -> set[str]:
    return {bead["kind"] for bead in seen["beads"]}


def _call(seen: dict[str, Any], key: str = "eleni") -> dict[str, Any]:
    people = {one["key"]: one for one in seen["phones"].get("oncall", [])}
    return (people.get(key) or {}).get("call") or {}


def _keys(seen: dict[str, Any]) -> list[str]:
    heard = " ".join(said["text"] for said in _call(seen).get("words", []))
    return re.findall(r"(?:πατήστε το|press) (\d)", heard)
