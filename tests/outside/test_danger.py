"""Danger: a page within a second, from every state; the next person; only the right key; the hand-over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.outside.product import NUMBER, Product, policy
from tests.outside.test_services import REQUESTS
from tests.specs import check_twilio

RED = "δεν αντέχω άλλο, έχω τα χάπια μπροστά μου και θα τα πάρω"
RED_GREEKLISH = "8elw na autoktonisw, den antexo allo"
ELENI, NIKOS, DORA = "+306900000001", "+306900000002", "+306900000009"


def _red(ticket: dict[str, Any]) -> bool:
    return bool(ticket["risk"] == "red")


async def test_a_red_message_rings_and_texts_within_a_second(product: Product) -> None:
    eleni = product.twilio.phone(ELENI)
    begun = time.monotonic()
    await product.telegram.phone(1).says(RED)
    call = await eleni.rings()
    assert time.monotonic() - begun < 1
    sms = await eleni.expects_sms("/a/")
    ticket = await product.ticket(_red)
    assert ticket["ref"] in sms.body
    for request in product.record.requests(provider="twilio"):
        check_twilio(request.path, request.params)
    assert call.status == "ringing"


@pytest.mark.parametrize("topic", list(REQUESTS))
async def test_red_from_the_middle_of_every_flow(product: Product, topic: str) -> None:
    phone = product.telegram.phone(2)
    await phone.says(REQUESTS[topic][0])
    await phone.expects(lambda shown: bool(shown.labels))
    begun = time.monotonic()
    await phone.says(RED_GREEKLISH)
    await product.twilio.phone(ELENI).rings()
    assert time.monotonic() - begun < 1
    await phone.expects("1018")


async def test_an_edit_and_a_caption_can_be_red(product: Product) -> None:
    edited, captioned = product.telegram.phone(3), product.telegram.phone(4)
    shown = await edited.says("καλημέρα")
    await edited.edits(shown.message_id, RED)
    await product.twilio.phone(ELENI).rings()
    await captioned.sends_photo(RED)
    await product.twilio.phone(ELENI).rings()
    assert sum(_red(ticket) for ticket in await product.tickets()) == 2


async def test_the_right_keys_and_the_handoff_both_ways(product: Product) -> None:
    citizen, eleni = product.telegram.phone(5), product.twilio.phone(ELENI)
    await citizen.says(RED)
    call = await eleni.rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    ticket = await product.ticket(lambda one: one["assigned_to"] == "eleni")
    await citizen.expects("Απάντησε άνθρωπος")
    code, _, err = await product.cli(
        "tickets", "reply", ticket["ref"], "--as", "eleni", "Είμαι η Ελένη, σας ακούω."
    )
    assert code == 0, err
    await citizen.expects("Είμαι η Ελένη, σας ακούω.")
    await citizen.says("ευχαριστώ, είμαι στο σπίτι")
    said = await product.ticket(lambda one: "είμαι στο σπίτι" in str(one["entries"]))
    assert said["first_human_word_at"] is not None
    code, _, err = await product.cli(
        "tickets", "close", ticket["ref"], "--as", "eleni", "--outcome", "helped"
    )
    assert code == 0, err
    closed = await product.ticket(lambda one: one["status"] == "closed")
    assert (closed["outcome"], closed["pages"][0]["outcome"]) == ("helped", "acknowledged")
    silent = [shown.text for shown in citizen.screen if shown.by == "bot"]
    await citizen.says("καλημέρα")
    await citizen.expects(lambda shown: shown.text not in silent)


async def test_a_wrong_key_a_machine_and_silence_acknowledge_nothing(product: Product) -> None:
    await product.telegram.phone(6).says(RED)
    call = await product.twilio.phone(ELENI).rings()
    await call.pick_up()
    wrong = next(key for key in "123456789" if key != call.announced_key)
    await call.presses(wrong)
    await call.hang_up()
    voicemail = await product.twilio.phone(NIKOS).rings()
    await voicemail.voicemail()
    supervisor = await product.twilio.phone(DORA).rings()
    await supervisor.pick_up()
    for _ in range(5):
        await supervisor.silence()
    ticket = await product.ticket(_red)
    assert ticket["assigned_to"] is None
    assert "acknowledged" not in {page["outcome"] for page in ticket["pages"]}


@pytest.mark.parametrize("how", ["busy", "fails", "declines", "no_answer"])
async def test_a_phone_that_cannot_be_reached_hands_on_at_once(product: Product, how: str) -> None:
    await product.telegram.phone(7).says(RED)
    begun = time.monotonic()
    await getattr(product.twilio.phone(ELENI), how)()
    await product.twilio.phone(NIKOS).rings()
    assert time.monotonic() - begun < 3


async def test_no_answer_goes_on_through_all_rounds_and_the_citizen_is_told(tmp_path: Any) -> None:
    quick = policy(seconds=2, repeat=2)
    async with Product(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", policy=quick) as product:
        citizen = product.telegram.phone(8)
        begun = time.monotonic()
        await citizen.says(RED)
        for round_ in range(2):
            for step, number in enumerate((ELENI, NIKOS, DORA)):
                await product.twilio.phone(number).rings(within=10)
                late = time.monotonic() - begun - (round_ * 3 + step) * 2
                assert late < 2, f"round {round_} step {step} began {late:.1f} s late"
        await citizen.expects("10306", within=10)
        exhausted = await product.ticket(lambda one: "exhausted" in str(one["entries"]))
        assert (exhausted["assigned_to"], exhausted["status"]) == (None, "open")


async def test_an_empty_roster_tells_the_truth_at_once(tmp_path: Any) -> None:
    nobody: dict[str, Any] = {"people": {}, "shifts": []}
    async with Product(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", roster=nobody) as product:
        citizen = product.telegram.phone(9)
        await citizen.says(RED)
        shown = await citizen.expects("112")
        assert "1018" in citizen.screen.said[-1] or "1018" in shown.text
        text = " ".join(one.text for one in citizen.screen if one.by == "bot")
        assert all(number in text for number in ("112", "1018", "10306"))
        assert "ειδοποι" not in text.lower()
        assert "nobody can be rung now" in product.log()


async def test_forged_callbacks_acknowledge_nothing(product: Product) -> None:
    await product.telegram.phone(10).says(RED)
    await product.twilio.phone(ELENI).rings()
    order = product.record.requests(provider="twilio", path="/Calls.json")[0].params
    forms = [{"Digits": key, "CallSid": "CA" + "0" * 32, "CallStatus": "in-progress"} for key in "0123456789"]
    async with aiohttp.ClientSession() as http:
        for form in forms:
            for headers in ({}, {"X-Twilio-Signature": "bm8="}):
                async with http.post(order["Url"], data=form, headers=headers) as answer:
                    assert (answer.status, await answer.read()) == (403, b"")
        for path, headers in (
            ("telegram", {"X-Telegram-Bot-Api-Secret-Token": "wrong"}),
            ("telegram", {}),
            ("viber", {"X-Viber-Content-Signature": "00"}),
            ("viber", {}),
            ("twilio/sms", {}),
            ("twilio/voice", {}),
        ):
            async with http.post(f"{product.url}/webhooks/{path}", data=b"{}", headers=headers) as answer:
                assert (answer.status, await answer.read()) == (403, b""), path
    assert (await product.ticket(_red))["assigned_to"] is None


async def test_the_link_acknowledges_by_its_button_only_and_once(product: Product) -> None:
    await product.telegram.phone(11).says(RED)
    sms = await product.twilio.phone(ELENI).expects_sms("/a/")
    link = next(word for word in sms.body.split() if "/a/" in word)
    async with aiohttp.ClientSession() as http:
        async with http.get(link) as page:
            assert page.status == 200
            assert 'method="post"' in (await page.text()).lower()
        assert (await product.ticket(_red))["assigned_to"] is None
        async with http.post(link) as first:
            assert first.status == 200
        assert (await product.ticket(_red))["assigned_to"] == "eleni"
        async with http.post(link) as second:
            assert "Eleni" in await second.text()
        async with http.post(link[:-3] + "xyz") as broken:
            assert 400 <= broken.status < 500


async def test_fifty_answers_at_once_have_one_owner(product: Product) -> None:
    await product.telegram.phone(12).says(RED)
    sms = await product.twilio.phone(ELENI).expects_sms("/a/")
    link = next(word for word in sms.body.split() if "/a/" in word)
    ref = (await product.ticket(_red))["ref"]
    async with aiohttp.ClientSession() as http:

        async def tap() -> int:
            async with http.post(link) as answer:
                return answer.status

        taken = [tap() for _ in range(20)]
        typed = [product.cli("tickets", "take", ref, "--as", who) for who in ("nikos", "dora", "nikos")]
        await asyncio.gather(*taken, *typed)
    ticket = await product.ticket(_red)
    won = [
        entry for entry in ticket["entries"] if entry["kind"] == "page" and "acknowledged" in entry["text"]
    ]
    assert len(won) == 1
    assert ticket["assigned_to"] in {"eleni", "nikos", "dora"}


async def test_twilio_failing_is_repeated_within_the_step(product: Product) -> None:
    from sandbox import Fault

    product.twilio.faults.add("/Calls.json", Fault.status(500), times=2)
    begun = time.monotonic()
    await product.telegram.phone(13).says(RED)
    await product.twilio.phone(ELENI).rings(within=25)
    assert time.monotonic() - begun < 25
    assert len(product.record.requests(provider="twilio", path="/Calls.json")) <= 6


async def test_after_the_acknowledgement_no_phone_rings_on(product: Product) -> None:
    citizen = product.telegram.phone(14)
    await citizen.says(RED)
    eleni = product.twilio.phone(ELENI)
    call = await eleni.rings()
    sms = await eleni.expects_sms("/a/")
    link = next(word for word in sms.body.split() if "/a/" in word)
    async with aiohttp.ClientSession() as http, http.post(link) as answer:
        assert answer.status == 200
    await citizen.expects("Απάντησε άνθρωπος", within=3)
    await product.record.until(lambda: call.over or None, 5, lambda: f"the call is still {call.status}")


def announced(number: str) -> Callable[[dict[str, Any]], bool]:
    """Tickets that came in by a number."""
    return lambda ticket: bool(ticket["channel"] == "sms" and number)


async def test_an_sms_to_the_number_is_a_conversation(product: Product) -> None:
    await product.twilio.phone("+306900000055").texts("θελω να αυτοκτονησω", NUMBER)
    ticket = await product.ticket(announced(NUMBER))
    assert ticket["risk"] == "red"


async def test_who_dials_the_number_hears_where_help_is(product: Product) -> None:
    call = await product.twilio.phone("+306900000056").dials(NUMBER)
    assert all(number in call.words for number in ("1 1 2", "1 0 1 8", "1 0 3 0 6"))
    assert call.status == "completed"
