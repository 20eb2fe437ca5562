"""kill -9 at many moments: every accepted message is kept once, and every page goes on."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.outside.citizen import answer_until_ref
from tests.outside.product import Product, policy
from tests.outside.test_danger import ELENI, NIKOS, RED


async def test_killed_under_flood_nothing_accepted_is_lost(product_on_both: Product) -> None:
    """Messages of a ticketed conversation are entries with the very text: accepted ones have to be there,
    each once and in order, after kills at random moments."""
    product, chance = product_on_both, random.Random(11)
    phone = product.telegram.phone(50)
    await phone.says("Θα ήθελα να μιλήσω με ψυχολόγο")
    ref = await answer_until_ref(phone, product.record)
    sent = [f"μήνυμα {number}" for number in range(40)]
    for number, text in enumerate(sent):
        await phone.says(text, wait=False)
        if number % 10 == 5:
            await asyncio.sleep(chance.uniform(0, 0.4))
            await product.kill()
            await product.start()

    def all_there(ticket: dict[str, Any]) -> bool:
        return ticket["ref"] == ref and sent[-1] in [entry["text"] for entry in ticket["entries"]]

    ticket = await product.ticket(all_there, within=30)
    kept = [
        entry["text"]
        for entry in ticket["entries"]
        if entry["by"] == "citizen" and entry["text"].startswith("μήνυμα ")
    ]
    assert kept == sent


async def test_a_page_goes_on_after_a_kill(tmp_path: Path) -> None:
    quick = policy(seconds=4)
    async with Product(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", policy=quick) as product:
        begun = time.monotonic()
        await product.telegram.phone(51).says(RED)
        await product.twilio.phone(ELENI).rings()
        await product.kill()
        await product.start()
        await product.twilio.phone(NIKOS).rings(within=12)
        assert time.monotonic() - begun < 4 + 5


async def test_killed_at_once_after_the_200_the_page_still_rings(product: Product) -> None:
    for number in range(3):
        phone = product.telegram.phone(60 + number)
        await phone.says(RED)
        await product.kill()
        await product.start()
        wanted = number + 1
        await product.record.until(
            lambda wanted=wanted: len(product.twilio.phone(ELENI).calls) >= wanted or None,  # type: ignore[misc]
            10,
            lambda: "no page after the restart",
        )


async def test_an_acknowledgement_survives_a_kill(product: Product) -> None:
    phone = product.telegram.phone(70)
    await phone.says(RED)
    sms = await product.twilio.phone(ELENI).expects_sms("/a/")
    link = next(word for word in sms.body.split() if "/a/" in word)
    async with aiohttp.ClientSession() as http, http.post(link) as answer:
        assert answer.status == 200
    await product.kill()
    await product.start()
    await phone.expects("Απάντησε άνθρωπος", within=10)
    assert (await product.ticket())["assigned_to"] == "eleni"


async def test_a_repeated_update_has_no_second_effect(product: Product) -> None:
    phone = product.telegram.phone(71)
    await phone.says(RED)
    await product.ticket()
    update = product.telegram.last_update
    assert update is not None
    headers = {"X-Telegram-Bot-Api-Secret-Token": "outside-secret"}
    url = f"{product.url}/webhooks/telegram"
    async with aiohttp.ClientSession(headers=headers) as http:
        answers = await asyncio.gather(*(http.post(url, json=update) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    await phone.says("τέλος δοκιμής")
    ticket = await product.ticket(lambda one: "τέλος δοκιμής" in str(one["entries"]))
    assert len([entry for entry in ticket["entries"] if entry["text"] == RED]) == 1
    assert len(await product.tickets()) == 1
