"""Keys, links, voicemail and callbacks: who is believed, and what each of them hears."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from escalation.links import LASTS
from sandbox.twilio_call import Call
from sandbox.twilio_sign import signature
from store.schema import attempts
from tests.escalation.conftest import TOKEN, Room


async def rung(room: Room, person: str = "eleni") -> Call:
    await room.red()
    await room.settle()
    return await room.phone(person).rings()


def other_than(key: str) -> str:
    return "2" if key != "2" else "3"


async def link_of(room: Room, person: str) -> str:
    text = await room.phone(person).expects_sms("/a/")
    return text.body.rsplit(" ", 1)[-1]


async def fetch(method: str, url: str, **options: Any) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as http, http.request(method, url, **options) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_the_words_of_a_call_hold_keys_and_a_reference_and_nothing_else(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    first = call.announced_key
    assert f"πατήστε το {first}" in call.words
    assert "H R K, 7 F 3 K" in call.words
    assert call.heard[0].language == "el-GR"
    assert f"key={first}" in call.comments
    await call.presses(first)
    second = call.announced_key
    assert second != first
    assert call.words.endswith(f"Για επιβεβαίωση, πατήστε το {second}.")
    for told in ("psych_support", "telegram", "1001", "Eleni"):
        assert told not in call.words


async def test_an_english_speaker_hears_english(room: Room) -> None:
    await room.red()
    await room.settle()
    await room.after(60)
    call = await room.phone("nikos").rings()
    await call.pick_up()
    assert f"press {call.announced_key}." in call.words
    assert call.heard[0].language == "en-GB"


async def test_a_wrong_key_acknowledges_nothing_and_three_of_them_go_on_to_the_next(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    for _ in range(3):
        assert not call.over
        await call.presses(other_than(call.announced_key))
    assert call.over
    await room.settle()
    assert (await room.attempt("eleni", "voice")).state == "declined"
    assert (await room.page()).acknowledged_by is None
    await room.phone("nikos").rings()


async def test_a_right_first_and_a_wrong_second_key_acknowledge_nothing(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    await call.presses_announced_key()
    wrong = other_than(call.announced_key)
    for _ in range(3):
        await call.presses(wrong)
    assert call.over
    assert (await room.page()).state == "ringing"
    assert (await room.attempt("eleni", "voice")).state == "declined"


async def test_a_mistaken_key_may_be_put_right(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    await call.presses(other_than(call.announced_key))
    await call.silence()
    await call.presses_announced_key()
    await call.presses(other_than(call.announced_key))
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"


async def test_silence_is_unanswered_and_the_next_person_rings_at_once(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    for _ in range(3):
        await call.silence()
    assert call.over
    await room.settle()
    assert (await room.attempt("eleni", "voice")).state == "unanswered"
    await room.phone("nikos").rings()


async def test_a_voicemail_acknowledges_nothing_and_the_next_person_rings(room: Room) -> None:
    await room.red()
    await room.settle()
    await room.phone("eleni").voicemail()
    await room.settle()
    assert (await room.attempt("eleni", "voice")).state == "machine"
    await room.phone("nikos").rings()


async def test_a_human_taken_for_a_machine_can_still_press_the_keys(room: Room) -> None:
    call = await rung(room)
    await call.pick_up("machine_start")
    await call.presses_announced_key()
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"
    assert ("eleni", "voice", "acknowledged") in await room.story()


@pytest.mark.parametrize(
    ("what", "outcome"), [("busy", "busy"), ("fails", "failed"), ("no_answer", "unanswered")]
)
async def test_a_call_that_comes_to_nothing_goes_on_at_once(room: Room, what: str, outcome: str) -> None:
    await room.red()
    await room.settle()
    await getattr(room.phone("eleni"), what)()
    await room.settle()
    assert (await room.attempt("eleni", "voice")).state == outcome
    await room.phone("nikos").rings()


async def test_hanging_up_without_the_key_goes_on_at_once(room: Room) -> None:
    call = await rung(room)
    await call.pick_up()
    await call.hang_up()
    await room.settle()
    assert (await room.attempt("eleni", "voice")).state == "declined"
    await room.phone("nikos").rings()


async def test_who_is_late_by_telephone_hears_who_has_it(room: Room) -> None:
    slow = await rung(room)
    await slow.pick_up()
    await room.after(60)
    quick = await room.phone("nikos").rings()
    await quick.pick_up()
    await quick.presses_announced_key()
    await quick.presses_announced_key()
    assert (await room.page()).acknowledged_by == "nikos"
    await room.settle()
    await slow.presses_announced_key()
    assert "Nikos" in slow.words
    assert slow.over
    assert (await room.ticket())["assigned_to"] == "nikos"


async def test_after_an_acknowledgement_ringing_phones_fall_silent_and_nothing_new_starts(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    link = await link_of(room, "eleni")
    assert (await fetch("POST", link))[0] == 200
    await room.settle()
    assert call.status == "canceled"
    await room.after(120)
    assert room.calls_to("nikos") == 0
    assert await room.story() == [("eleni", "voice", "cancelled"), ("eleni", "sms", "acknowledged")]


async def test_a_link_shows_a_form_and_only_its_button_takes_the_case(room: Room) -> None:
    await room.red()
    await room.settle()
    link = await link_of(room, "eleni")
    status, body, headers = await fetch("GET", link)
    assert status == 200
    assert body.count("<form") == 1
    assert 'method="post"' in body
    assert "<script" not in body
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert (await room.page()).state == "ringing"
    status, body, _ = await fetch("POST", link)
    assert status == 200
    assert "Η υπόθεση είναι δική σας" in body
    assert (await room.page()).acknowledged_via == "link"
    for method in ("GET", "POST"):
        again = (await fetch(method, link))[1]
        assert "Την έχετε ήδη αναλάβει" in again
        assert "Την έχει: Eleni." in again
    assert (await room.stimuli()) == ["page_acknowledged"]


async def test_a_second_person_with_a_link_is_told_who_has_it(room: Room) -> None:
    await room.red()
    await room.settle()
    first = await link_of(room, "eleni")
    await room.after(60)
    second = await link_of(room, "nikos")
    await fetch("POST", second)
    for method in ("GET", "POST", "POST"):
        status, body, _ = await fetch(method, first)
        assert status == 200
        assert "Nikos" in body
        assert "<form" not in body
    assert (await room.page()).acknowledged_by == "nikos"
    late = [entry["text"] for entry in (await room.ticket())["entries"] if "late answer" in entry["text"]]
    assert late == ["late answer by eleni via link, nikos has it"]


async def test_broken_and_expired_links_are_answered_kindly(room: Room) -> None:
    await room.red()
    await room.settle()
    link = await link_of(room, "eleni")
    for address in (link[:-1], f"{room.url}/a/nonsense", f"{room.url}/a/{'ό' * 300}"):
        for method in ("GET", "POST"):
            status, body, _ = await fetch(method, address)
            assert status == 404
            assert "Ο σύνδεσμος δεν ισχύει" in body
    room.clock.advance(LASTS)
    status, body, _ = await fetch("POST", link, headers={"Accept-Language": "en-GB"})
    assert status == 404
    assert "This link does not work" in body
    assert (await room.page()).acknowledged_by is None


async def test_any_number_of_simultaneous_answers_have_one_winner(room: Room) -> None:
    await room.red()
    await room.settle()
    await room.after(60)
    links = [await link_of(room, person) for person in ("eleni", "nikos")] * 4
    pages = await asyncio.gather(*(fetch("POST", link) for link in links))
    owner = (await room.page()).acknowledged_by
    assert owner in ("eleni", "nikos")
    assert all(status == 200 for status, _, _ in pages)
    assert await room.stimuli() == ["page_acknowledged"]
    acknowledged = [one for one in await room.story() if one[2] == "acknowledged"]
    assert acknowledged == [(owner, "sms", "acknowledged")]


async def signed(room: Room, path: str, token: str = TOKEN, **form: str) -> tuple[int, str, Any]:
    url = room.url + path
    headers = {"X-Twilio-Signature": signature(token, url, form)}
    return await fetch("POST", url, data=form, headers=headers)


async def test_a_forged_request_is_403_with_nothing_in_it_and_changes_nothing(room: Room) -> None:
    await room.red()
    await room.settle()
    await (await room.phone("eleni").rings()).told()  # the provider's own callbacks are no forgeries
    attempt = await room.attempt("eleni", "voice")
    before = await room.rows(attempts)
    base = f"/webhooks/twilio/call/{attempt.id}"
    for path in (f"{base}/start", f"{base}/key?turn=1", f"{base}/confirm?turn=1", f"{base}/status"):
        form = {"CallSid": attempt.provider_id, "Digits": attempt.keys[1], "CallStatus": "completed"}
        status, body, _ = await signed(room, path, "another token", **form)
        assert (status, body) == (403, "")
        status, body, _ = await fetch(
            "POST", room.url + path, data=b"\xff\x00", headers={"Content-Type": "x/y"}
        )
        assert (status, body) == (403, "")
    assert await room.rows(attempts) == before


async def test_callbacks_in_any_order_and_doubled_never_undo_an_end(room: Room) -> None:
    await room.red()
    await room.settle()
    attempt = await room.attempt("eleni", "voice")
    path, sid = f"/webhooks/twilio/call/{attempt.id}/status", attempt.provider_id
    news = [("completed", "9"), ("ringing", "7"), ("in-progress", "8"), ("completed", "9"), ("ringing", "10")]
    for state, number in news:
        status, _, _ = await signed(room, path, CallSid=sid, CallStatus=state, SequenceNumber=number)
        assert status == 204
        assert (await room.attempt("eleni", "voice")).state == "declined"


async def test_a_call_of_an_unknown_attempt_is_hung_up_politely(room: Room) -> None:
    for what in ("start", "key?turn=1", "confirm?turn=1"):
        status, body, _ = await signed(room, f"/webhooks/twilio/call/123/{what}", CallSid="CA1", Digits="4")
        assert status == 200
        assert "<Hangup" in body
    assert (await signed(room, "/webhooks/twilio/call/123/status", CallStatus="busy"))[0] == 204


async def test_a_text_that_was_not_delivered_is_failed(room: Room) -> None:
    room.phone("eleni").sms_behaviour = "undelivered"
    await room.red()
    await room.settle()
    await room.twilio.record.until(
        lambda: [one for one in room.twilio.record.events if one.get("status") == "undelivered"] or None
    )
    for _ in range(100):
        if (await room.attempt("eleni", "sms")).state == "failed":
            break
        await asyncio.sleep(0.01)
    assert (await room.attempt("eleni", "sms")).state == "failed"
    assert (await room.attempt("eleni", "voice")).state == "ringing"


async def test_without_callbacks_a_call_is_asked_after(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    call.status = "busy"
    await room.after(21)
    assert (await room.attempt("eleni", "voice")).state == "busy"
    await room.phone("nikos").rings()


async def test_calls_one_after_the_other_have_different_keys(room: Room) -> None:
    await room.red()
    await room.settle()
    for _ in range(8):
        await room.after(61)
    keys = [row.keys for row in await room.rows(attempts) if row.means == "voice"]
    assert len(keys) == 7
    assert len({both[0] for both in keys}) == 7
    assert all(first != second for first, second in keys)
