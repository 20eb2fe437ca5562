"""The Telegram channel over real HTTP: the stand-in's updates in, checked requests out."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.channels import telegram as channel_module
from bot.channels import telegram_poll
from bot.channels.base import (
    Blocked,
    Misconfigured,
    Moved,
    Outgoing,
    Rejected,
    Retry,
    SendError,
    Unknown,
)
from bot.channels.telegram import PATH, TelegramChannel
from bot.channels.webhook import Refusals
from bot.incoming import Incoming, Left, NotUnderstood
from flows.events import Button
from flows.session import StimulusKind
from sandbox import Fault, TelegramStandIn
from sandbox.lanes import Backoff
from tests.bot.rig import RecordingDoor, served
from tests.specs import check_telegram

TOKEN, SECRET = "123456:synthetic", "hush_hush"
BUTTONS = (Button("~abc.0", "Ναι"), Button("~abc.1", "Όχι"), Button("~abc.2", "Δεν ξέρω ακόμη, ρωτήστε με"))


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramStandIn]:
    async with TelegramStandIn(TOKEN, backoff=Backoff(scale=0.01)) as stand_in:
        yield stand_in


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


def channel_of(
    url: str, door: RecordingDoor, refusals: Refusals | None = None, **more: Any
) -> TelegramChannel:
    given: dict[str, Any] = {"token": TOKEN, "secret": SECRET, "public_url": "http://127.0.0.1:9", **more}
    return TelegramChannel(api_url=url, door=door, refusals=refusals or Refusals(), **given)


@pytest.fixture
async def channel(
    telegram: TelegramStandIn, door: RecordingDoor, refusals: Refusals
) -> AsyncIterator[TelegramChannel]:
    """Its webhook is served, and the stand-in knows it."""
    made = channel_of(telegram.url, door, refusals)
    async with served(made.routes()) as url:
        telegram.webhook, telegram.secret = url + PATH, SECRET
        yield made
    await made.stop()
    for request in telegram.record.requests("telegram"):
        check_telegram(request.path.rsplit("/", 1)[-1], request.params)


async def test_words_come_in(
    telegram: TelegramStandIn, channel: TelegramChannel, door: RecordingDoor
) -> None:
    phone = telegram.phone(1001)
    shown = await phone.says("καλημέρα")
    assert door.incoming().text == "καλημέρα"
    await phone.edits(shown.message_id, "δεν αντέχω")
    assert door.incoming().kind is StimulusKind.edited
    await phone.starts("food")
    assert door.incoming().kind is StimulusKind.opened
    await phone.shares_location(35.3, 25.1)
    assert door.incoming().place == (35.3, 25.1)
    await phone.sends_photo("λογαριασμός")
    assert door.incoming().file_kind == "photo"
    await phone.sends_voice()
    assert door.incoming().file_kind == "voice"
    await phone.blocks()
    assert door.one(Left).address == "1001"
    await phone.unblocks()
    assert door.arrivals == []


async def test_a_choice_goes_out_and_its_tap_comes_in(
    telegram: TelegramStandIn, channel: TelegramChannel, door: RecordingDoor
) -> None:
    phone = telegram.phone(1001)
    sent = await channel.send("1001", Outgoing("Έχετε νερό;", BUTTONS))
    shown = await phone.expects("Έχετε νερό;")
    assert sent == str(shown.message_id)
    assert [[b.label for b in row] for row in shown.buttons] == [["Ναι", "Όχι"], [BUTTONS[2].label]]
    await phone.taps("Όχι")
    incoming = door.incoming()
    assert (incoming.button, incoming.message_id) == ("~abc.1", sent)
    await telegram.record.until(lambda: not phone.taps_unanswered)


async def test_a_place_is_asked_on_the_keyboard_with_all_choices(
    telegram: TelegramStandIn, channel: TelegramChannel, door: RecordingDoor
) -> None:
    phone = telegram.phone(1001)
    await channel.send("1001", Outgoing("Πού είστε;", BUTTONS[:1], location=True, phone=True))
    assert [[b.label for b in row] for row in phone.keyboard] == [
        ["Στείλτε τη θέση σας"],
        ["Στείλτε τον αριθμό σας"],
        ["Ναι"],
    ]
    await phone.taps("Στείλτε τη θέση σας")
    assert door.incoming().kind is StimulusKind.located
    await phone.taps("Στείλτε τον αριθμό σας")
    assert door.incoming().kind is StimulusKind.shared_phone
    await phone.taps("Ναι")
    assert (door.incoming().text, phone.keyboard != []) == ("Ναι", True)
    await channel.send("1001", Outgoing("Ευχαριστούμε."))
    assert phone.keyboard == []
    await channel.send("1001", Outgoing("Where are you?", location=True))
    assert phone.keyboard[0][0].label == "Send your location"


async def test_a_forged_update_leaves_only_a_count(
    channel: TelegramChannel, telegram: TelegramStandIn, door: RecordingDoor, refusals: Refusals
) -> None:
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
            async with http.post(telegram.webhook, data=b"{}", headers=headers) as answer:
                assert (answer.status, await answer.read()) == (403, b"")
    assert (door.arrivals, refusals.counts) == ([], {"telegram": 2})


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 90_000, b'{"update_id": 1, "odd": 2}'])
async def test_a_poisoned_update_does_not_block_the_chat(
    channel: TelegramChannel, telegram: TelegramStandIn, door: RecordingDoor, body: bytes
) -> None:
    async with aiohttp.ClientSession() as http:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with http.post(telegram.webhook, data=body, headers=headers) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
    assert door.one(NotUnderstood)
    await telegram.phone(1001).says("είμαι ακόμη εδώ")
    assert door.incoming().text == "είμαι ακόμη εδώ"


async def test_more_than_a_megabyte_is_kept_in_part(
    channel: TelegramChannel, telegram: TelegramStandIn, door: RecordingDoor
) -> None:
    async with aiohttp.ClientSession() as http:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with http.post(telegram.webhook, data=io.BytesIO(b"x" * 3_000_000), headers=headers) as answer:
            assert answer.status == 200
    assert door.one(NotUnderstood).why == "too large"


async def test_what_could_not_be_kept_comes_again(
    channel: TelegramChannel, telegram: TelegramStandIn, door: RecordingDoor
) -> None:
    door.shut = True
    await telegram.phone(1001).says("ακούτε;")
    assert door.arrivals == []
    door.shut = False
    telegram.lanes.hurry()
    (arrival,) = await door.until(lambda arrivals: len(arrivals) == 1)
    assert isinstance(arrival, Incoming)
    assert arrival.text == "ακούτε;"


@pytest.mark.parametrize(
    ("fault", "error", "why"),
    [
        (Fault.rate_limited(3), Retry, "too many requests"),
        (Fault.status(429, "no json"), Retry, "too many requests"),
        (Fault.status(401, '{"ok":false}'), Misconfigured, "token refused"),
        (Fault.status(404, "{}"), Misconfigured, "token refused"),
        (Fault.status(409, "{}"), Retry, "conflict"),
        (Fault.status(403, '{"description":"Forbidden: bot was blocked"}'), Blocked, "forbidden"),
        (Fault.status(400, '{"description":"Bad Request: chat not found"}'), Blocked, "chat is gone"),
        (Fault.status(400, '{"description":"PEER_ID_INVALID"}'), Blocked, "chat is gone"),
        (Fault.status(400, '{"description":"Bad Request: too long"}'), Rejected, "bad request"),
        (Fault.status(400, '{"parameters":{"migrate_to_chat_id":-100500}}'), Moved, "moved"),
        (Fault.status(502, "<html>"), Unknown, "status 502"),
        (Fault.status(500, '{"ok":false,"description":"Internal"}'), Unknown, "status 500"),
        (Fault.garbage(after_commit=True), Unknown, "unreadable answer"),
        (Fault.status(200, "[]"), Unknown, "unreadable answer"),
        (Fault.reset(after_commit=True), Unknown, "ServerDisconnectedError"),
    ],
)
async def test_errors_are_sorted(
    telegram: TelegramStandIn, channel: TelegramChannel, fault: Fault, error: type[SendError], why: str
) -> None:
    telegram.phone(1001)
    telegram.faults.add("/sendMessage", fault)
    with pytest.raises(SendError) as caught:
        await channel.send("1001", Outgoing("hello"))
    assert (type(caught.value), caught.value.why) == (error, why)
    assert TOKEN not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert await channel.send("1001", Outgoing("hello"))


async def test_a_success_without_a_message_leaves_the_outcome_unknown(
    telegram: TelegramStandIn, channel: TelegramChannel
) -> None:
    telegram.faults.add("/sendMessage", Fault.status(200, '{"ok": true, "result": {"chat": 1}}'))
    with pytest.raises(Unknown):
        await channel.send("1001", Outgoing("hello"))


async def test_retry_after_is_told(telegram: TelegramStandIn, channel: TelegramChannel) -> None:
    telegram.phone(1001)
    telegram.faults.add("/sendMessage", Fault.rate_limited(3))
    with pytest.raises(Retry) as caught:
        await channel.send("1001", Outgoing("hello"))
    assert caught.value.after == 3


async def test_a_moved_chat_says_where(telegram: TelegramStandIn, channel: TelegramChannel) -> None:
    telegram.faults.add("/sendMessage", Fault.status(400, '{"parameters":{"migrate_to_chat_id":-100500}}'))
    with pytest.raises(Moved) as caught:
        await channel.send("1001", Outgoing("hello"))
    assert caught.value.address == "-100500"


async def test_a_blocked_bot_and_a_wrong_address(telegram: TelegramStandIn, channel: TelegramChannel) -> None:
    await telegram.phone(1001).blocks()
    with pytest.raises(Blocked):
        await channel.send("1001", Outgoing("hello"))
    with pytest.raises(Rejected):
        await channel.send("not-a-chat", Outgoing("hello"))


async def test_silence_ends_at_our_time_out(telegram: TelegramStandIn) -> None:
    from bot.channels.telegram_http import Api

    telegram.phone(1001)
    telegram.faults.add("/sendMessage", Fault.timeout(after_commit=True))
    api = Api(TOKEN, telegram.url, total=0.3)
    with pytest.raises(Unknown, match="Timeout"):
        await api.send(1001, "hello", None)
    await api.close()
    assert telegram.phone(1001).shows("hello")


async def test_a_dead_provider_was_certainly_not_reached(door: RecordingDoor) -> None:
    channel = channel_of("http://127.0.0.1:9", door)
    with pytest.raises(Retry, match="not reached"):
        await channel.send("1001", Outgoing("hello"))
    await channel.stop()


async def test_the_webhook_is_registered_beside_the_start(
    telegram: TelegramStandIn, door: RecordingDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "WARM_UP", 0.0)
    monkeypatch.setattr("bot.channels.background.PAUSES", (0.01,))
    telegram.faults.add("/setWebhook", Fault.status(502), times=2)
    channel = channel_of(telegram.url, door)
    await channel.start()
    await telegram.record.until(lambda: len(telegram.record.requests("telegram", "/setWebhook")) == 3)
    telegram.phone(1001)
    await channel.send("1001", Outgoing("by now it is done"))
    assert (telegram.webhook, telegram.secret) == ("http://127.0.0.1:9" + PATH, SECRET)
    assert telegram.allowed_updates == ["message", "edited_message", "callback_query", "my_chat_member"]
    await channel.stop()
    requests = telegram.record.requests("telegram", "/setWebhook")
    assert len(requests) == 3
    check_telegram("setWebhook", {**requests[-1].params, "secret_token": SECRET})


async def test_polling_confirms_only_what_was_kept(
    telegram: TelegramStandIn, door: RecordingDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "WARM_UP", 0.0)
    monkeypatch.setattr(telegram_poll, "PAUSES", (0.01,))
    telegram.webhook = "http://127.0.0.1:9/old"
    telegram.lanes.backoff = Backoff(pauses=(60,))
    channel = channel_of(telegram.url, door, secret=None, polling=True)
    assert channel.routes() == []
    door.shut = True
    telegram.faults.add("/getUpdates", Fault.status(409), times=1)
    await telegram.phone(1001).says("ένα", wait=False)
    await channel.start()
    requests = telegram.record.requests
    await telegram.record.until(lambda: len(requests("telegram", "/getUpdates")) >= 3)
    assert {str(request.params["offset"]) for request in requests("telegram", "/getUpdates")} == {"0"}
    door.shut = False
    await door.until(lambda arrivals: len(arrivals) == 1)
    sent = await channel.send("1001", Outgoing("?", BUTTONS))
    await telegram.phone(1001).taps("Ναι")
    first, second = await door.until(lambda arrivals: len(arrivals) == 2)
    assert isinstance(first, Incoming)
    assert isinstance(second, Incoming)
    assert (first.text, second.button, second.message_id) == ("ένα", "~abc.0", sent)
    await telegram.record.until(lambda: not telegram.phone(1001).taps_unanswered)
    await channel.stop()
    for request in requests("telegram"):
        check_telegram(request.path.rsplit("/", 1)[-1], request.params)


async def test_no_log_line_holds_the_token_or_a_word(
    telegram: TelegramStandIn, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.phone(1001)
    telegram.faults.add("/sendMessage", Fault.status(502, "<html>μυστικό"))
    with pytest.raises(Unknown):
        await channel.send("1001", Outgoing("μυστικό"))
    await channel.send("1001", Outgoing("μυστικό"))
    assert TOKEN not in caplog.text
    assert "μυστικό" not in caplog.text


async def test_ptb_is_not_loaded_at_import() -> None:
    code = "import sys, bot.channels.telegram; print('telegram' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.decode().strip() == "False"
