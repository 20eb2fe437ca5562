"""The record, the journal, the order of faults, and the door of the process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import Fault, Record, TelegramStandIn, TwilioStandIn, ViberStandIn
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.record import Request
from tests.sandbox.product import Receiver
from tests.specs import check_telegram, check_viber


def request(path: str = "/x", **params: Any) -> Request:
    return Request(1, 0.0, "telegram", "POST", path, params, {})


def test_faults_are_used_in_order_and_run_out() -> None:
    faults = Faults()
    faults.add("/send", Fault.status(500), times=2)
    faults.add("*", Fault.reset())
    taken = [faults.take(request("/send")) for _ in range(4)]
    assert [fault.kind if fault else None for fault in taken] == ["status", "status", "reset", None]


def test_a_fault_may_last() -> None:
    faults = Faults()
    faults.add(lambda r: r.params.get("chat_id") == 7, Fault.garbage(), times=None)
    assert faults.take(request(chat_id=8)) is None
    assert all(faults.take(request(chat_id=7)) for _ in range(5))
    faults.clear()
    assert faults.take(request(chat_id=7)) is None


def test_secrets_are_not_kept() -> None:
    record = Record()
    headers = {"X-Viber-Auth-Token": "s", "Authorization": "Basic s", "User-Agent": "x"}
    kept = record.note("viber", "POST", "/send_message", {"auth_token": "s", "text": "x"}, headers)
    assert kept.headers == {"User-Agent": "x"}
    assert kept.params == {"auth_token": "(secret)", "text": "x"}


def test_requests_are_found_by_provider_path_and_params() -> None:
    record = Record(clock=lambda: 42.0)
    record.note("telegram", "POST", "/bot/sendMessage", {"chat_id": "7"}, {})
    record.note("twilio", "POST", "/Calls.json", {"To": "+306900000001"}, {})
    assert [r.at for r in record.requests(provider="twilio")] == [42.0]
    assert len(record.requests(path="sendMessage", chat_id=7)) == 1
    assert record.requests(path="sendMessage", chat_id=8) == []


async def test_the_journal_keeps_what_happened(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl")
    record = Record(journal=journal)
    async with TelegramStandIn("1:t", record=record) as telegram:
        await telegram.phone(1001).says("γεια")
    record.note("telegram", "POST", "/bot/getMe", {}, {})
    journal.close()
    with journal.path.open("a") as torn:
        torn.write('{"half')
    entries = Journal.read(journal.path)
    assert [(e["entry"], e.get("kind")) for e in entries] == [("event", "said"), ("request", None)]
    assert entries[0]["text"] == "γεια"


async def test_several_providers_share_one_order_of_events() -> None:
    record = Record()
    async with (
        TelegramStandIn("1:t", record=record) as telegram,
        ViberStandIn("v", record=record) as viber,
        TwilioStandIn("AC1", "t", record=record),
    ):
        with record.listening() as feed:
            await telegram.phone(1001).says("one")
            await viber.phone("u1=").says("two")
        events = [feed.get_nowait() for _ in range(2)]
    assert [(e["provider"], e["text"]) for e in events] == [("telegram", "one"), ("viber", "two")]
    assert json.dumps(events)


async def test_waiting_in_vain_says_so() -> None:
    with pytest.raises(AssertionError, match="nothing came"):
        await Record().until(lambda: None, 0.01, lambda: "nothing came")


async def test_delay_then_serve() -> None:
    async with TelegramStandIn("1:t") as telegram, aiohttp.ClientSession() as session:
        telegram.faults.add("getMe", Fault.delay(0.001))
        async with session.post(f"{telegram.url}/bot1:t/getMe") as response:
            assert (await response.json())["ok"] is True


@pytest.mark.parametrize(
    ("path", "code"), [("/bot1:other/getMe", 401), ("/bot/getMe", 404), ("/x", 404), ("/bot1:t/fly", 404)]
)
async def test_wrong_addresses(path: str, code: int) -> None:
    async with (
        TelegramStandIn("1:t") as telegram,
        aiohttp.ClientSession() as session,
        session.post(telegram.url + path) as response,
    ):
        assert (response.status, (await response.json())["error_code"]) == (code, code)


async def test_json_and_multipart_bodies_are_read_alike() -> None:
    async with TelegramStandIn("1:t") as telegram, aiohttp.ClientSession() as session:
        phone = telegram.phone(1001)
        keyboard = {"inline_keyboard": [[{"text": "Ok", "callback_data": "x"}]]}
        address = f"{telegram.url}/bot1:t/sendMessage"
        await session.post(address, json={"chat_id": 1001, "text": "one", "reply_markup": keyboard})
        form = aiohttp.FormData({"chat_id": "1001", "text": "two", "reply_markup": json.dumps(keyboard)})
        form.add_field("unused", b"x", filename="x.bin")
        await session.post(address, data=form)
        await session.get(f"{address}?chat_id=1001&text=three")
    assert [(s.text, s.labels) for s in phone.screen] == [("one", ["Ok"]), ("two", ["Ok"]), ("three", [])]


@pytest.mark.parametrize(
    ("method", "params", "complaint"),
    [
        ("sendMessage", {"chat_id": 1, "text": "x"}, ""),
        ("sendMessage", {"chat_id": "1", "text": "x", "reply_markup": '{"inline_keyboard": []}'}, ""),
        ("sendMessage", {"chat_id": 1}, "lacks"),
        ("sendMessage", {"chat_id": 1, "text": "x", "purple": 1}, "does not know purple"),
        ("sendMessage", {"chat_id": 1, "text": "x", "disable_notification": "maybe"}, "is not"),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "reply_markup": '{"inline_keyboard": [[{"callback_data": "x"}]]}'},
            "lacks",
        ),
        ("flyAway", {}, "no Bot API method"),
    ],
)
def test_telegrams_specification(method: str, params: dict[str, Any], complaint: str) -> None:
    if not complaint:
        check_telegram(method, params)
        return
    with pytest.raises(AssertionError, match=complaint):
        check_telegram(method, params)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"receiver": ""}, "receiver is empty"),
        ({"text": "x" * 7001}, "7000"),
        ({"sender": {"name": ""}}, "sender.name"),
        ({"keyboard": {"Type": "keyboard", "Buttons": [{"ActionBody": "x", "Columns": 9}]}}, "Columns"),
        ({"type": "purple"}, "unknown type"),
        ({"tracking_data": "x" * 5000}, "tracking_data"),
    ],
)
def test_vibers_documented_limits(change: dict[str, Any], complaint: str) -> None:
    good = {"receiver": "u1=", "type": "text", "text": "x", "sender": {"name": "Limani"}}
    check_viber("send_message", good)
    with pytest.raises(AssertionError, match=complaint):
        check_viber("send_message", {**good, **change})


async def test_the_stand_ins_run_as_a_process_of_their_own(tmp_path: Path) -> None:
    async with Receiver() as product:
        product.on("/voice", "<Response><Gather numDigits='1'><Say>press 4</Say></Gather></Response>")
        command = ["-m", "sandbox", "--journal", str(tmp_path / "j"), "--telegram-webhook", product.at("/t")]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            urls = json.loads(await process.stdout.readline())
            await _drive(urls, product)
        finally:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    kinds = [entry.get("kind") for entry in Journal.read(tmp_path / "j") if entry["entry"] == "event"]
    assert kinds == ["said", "rings", "picked_up", "words", "key", "words", "ended"]


async def _drive(urls: dict[str, str], product: Receiver) -> None:
    auth = aiohttp.encode_basic_auth("AC" + "0" * 32, "synthetic-twilio-token")
    async with aiohttp.ClientSession() as session:

        async def act(what: str, **wish: Any) -> tuple[int, Any]:
            async with session.post(f"{urls['control']}/control/{what}", json=wish) as response:
                return response.status, await response.json()

        assert (await act("telegram/says", phone=1001, text="γεια"))[0] == 200
        assert product.got[0].json["message"]["text"] == "γεια"
        form = {"To": "+306900000001", "From": "+306900000090", "Url": product.at("/voice")}
        address = f"{urls['twilio']}/2010-04-01/Accounts/AC{'0' * 32}/Calls.json"
        await session.post(address, data=form, headers={"Authorization": auth})
        assert (await act("twilio/rings", phone="+306900000001"))[1]["status"] == "ringing"
        assert (await act("twilio/pick_up", phone="+306900000001"))[1]["heard"][0]["text"] == "press 4"
        assert await act("twilio/presses", phone="+306900000001", keys="4") == (200, True)
        assert (await act("twilio/hang_up", phone="+306900000001"))[0] == 200
        assert (await act("twilio/hang_up", phone="+306900000001"))[0] == 409
        assert (await act("telegram/flies", phone=1001))[0] == 400
        shown = (await act("telegram/screen", phone=1001))[1]
        assert [message["text"] for message in shown] == ["γεια"]


async def test_a_flood_is_kept_in_the_journal_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", sync=False)
    record = Record(journal=journal, forgetful=True)
    for number in range(3):
        record.happened("telegram", "shown", str(number))
        record.note("telegram", "POST", "/sendMessage", {}, {})
    journal.close()
    assert not record.events
    assert not record.requests()
    kept = Journal.read(tmp_path / "journal.jsonl")
    assert [entry["number"] for entry in kept] == [1, 1, 2, 2, 3, 3]
