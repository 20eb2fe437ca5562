"""The Viber channel over real HTTP: the stand-in's signed callbacks in, checked requests out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from bot.channels import viber_client
from bot.channels.base import Blocked, Misconfigured, Outgoing, Rejected, Retry, SendError, Unknown
from bot.channels.viber import PATH, ViberChannel
from bot.channels.webhook import Refusals
from bot.incoming import Incoming, Left, NotUnderstood, Receipt
from flows.events import Button
from flows.session import StimulusKind
from sandbox import Fault, ViberStandIn
from sandbox.lanes import Backoff
from sandbox.server import Server
from sandbox.viber_sign import signature
from tests.bot.rig import RecordingDoor, served
from tests.specs import check_viber, load

TOKEN, MARIA = "44dafb7e-synthetic", "01234567890A="
BUTTONS = (Button("~abc.0", "Ναι"), Button("~abc.1", "Όχι"), Button("~abc.2", 'Δεν <b>ξέρω</b> & "ρωτώ"'))


@pytest.fixture
async def viber() -> AsyncIterator[ViberStandIn]:
    async with ViberStandIn(TOKEN, backoff=Backoff(scale=0.001), receipts=False) as stand_in:
        yield stand_in


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


def channel_of(viber_url: str, door: RecordingDoor, refusals: Refusals, **more: Any) -> ViberChannel:
    given: dict[str, Any] = {"token": TOKEN, "sender": "Λιμάνι", "public_url": "http://127.0.0.1:9", **more}
    return ViberChannel(api_url=viber_url, door=door, refusals=refusals, **given)


@pytest.fixture
async def channel(
    viber: ViberStandIn, door: RecordingDoor, refusals: Refusals
) -> AsyncIterator[ViberChannel]:
    made = channel_of(viber.url, door, refusals)
    async with served(made.routes()) as url:
        viber.webhook = url + PATH
        yield made
    await made.stop()
    for request in viber.record.requests("viber"):
        check_viber(request.path, request.params)


async def test_words_come_in(viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor) -> None:
    phone = viber.phone(MARIA)
    await phone.opens()
    assert door.incoming().kind is StimulusKind.opened
    await phone.says("καλημέρα")
    assert door.incoming().text == "καλημέρα"
    await phone.sends_photo("λογαριασμός")
    assert door.incoming().text == "λογαριασμός"
    await phone.sends_sticker()
    assert door.incoming().file_id == "40133"
    await phone.blocks()
    assert door.one(Left).address == MARIA
    await phone.posts({"event": "hologram"})
    assert door.one(NotUnderstood).why == "unknown event"


async def test_a_choice_goes_out_and_its_tap_comes_in(
    viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor
) -> None:
    phone = viber.phone(MARIA)
    phone.subscribed = True
    sent = await channel.send(MARIA, Outgoing("Έχετε νερό;", BUTTONS))
    shown = await phone.expects("Έχετε νερό;")
    assert sent == str(shown.message_id)
    assert [[b.label for b in row] for row in phone.keyboard] == [["Ναι", "Όχι"], [BUTTONS[2].label]]
    await phone.taps("Όχι")
    assert door.incoming().button == "~abc.1"


async def test_place_and_number_are_asked_by_viber_s_own_buttons(
    viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor
) -> None:
    phone = viber.phone(MARIA)
    phone.subscribed = True
    await channel.send(MARIA, Outgoing("Where are you?", BUTTONS[:1], location=True, phone=True))
    await phone.taps("Send your location")
    assert door.incoming().kind is StimulusKind.located
    await phone.taps("Share your number")
    assert door.incoming().text == "+306900000099"
    await phone.taps("Ναι")
    assert door.incoming().button == "~abc.0"


async def test_an_old_viber_gets_the_question_without_share_buttons(
    viber: ViberStandIn, channel: ViberChannel
) -> None:
    phone = viber.phone(MARIA)
    phone.subscribed, phone.api_version = True, 2
    assert await channel.send(MARIA, Outgoing("Πού είστε;", BUTTONS[:1], location=True))
    assert [[b.label for b in row] for row in phone.keyboard] == [["Ναι"]]


async def test_the_largest_message_fits(viber: ViberStandIn, channel: ViberChannel) -> None:
    viber.phone(MARIA).subscribed = True
    label = "&" * channel.limits.label
    buttons = tuple(Button(f"~0123456789abc.{n}", label) for n in range(channel.limits.buttons))
    assert await channel.send(MARIA, Outgoing("🙂" * channel.limits.text, buttons, location=True, phone=True))


async def test_receipts(viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor) -> None:
    phone = viber.phone(MARIA)
    phone.subscribed = viber.receipts = True
    sent = await channel.send(MARIA, Outgoing("γεια"))
    (delivered,) = await door.until(lambda arrivals: len(arrivals) == 1)
    assert delivered == Receipt("viber", str(sent), "delivered")
    phone.fails_next("no room")
    await channel.send(MARIA, Outgoing("γεια"))
    _, failed = await door.until(lambda arrivals: len(arrivals) == 2)
    assert isinstance(failed, Receipt)
    assert (failed.outcome, failed.why) == ("failed", "no room")


async def test_who_has_only_opened_the_chat_gets_one_message(
    viber: ViberStandIn, channel: ViberChannel
) -> None:
    await viber.phone(MARIA).opens()
    assert await channel.send(MARIA, Outgoing("Καλώς ήρθατε"))
    with pytest.raises(Blocked, match="not subscribed"):
        await channel.send(MARIA, Outgoing("και κάτι ακόμη"))


async def test_a_forged_callback_leaves_only_a_count(
    viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor, refusals: Refusals
) -> None:
    body = b'{"event":"webhook"}'
    wrong = [{}, {"X-Viber-Content-Signature": "ff"}, {"X-Viber-Content-Signature": signature("other", body)}]
    async with aiohttp.ClientSession() as http:
        for headers in wrong:
            async with http.post(viber.webhook, data=body, headers=headers) as answer:
                assert (answer.status, await answer.read()) == (403, b"")
        good = {"X-Viber-Content-Signature": signature(TOKEN, body)}
        async with http.post(viber.webhook, data=body, headers=good) as answer:
            assert answer.status == 200
    assert (door.arrivals, refusals.counts) == ([], {"viber": 3})


async def test_known_signatures(door: RecordingDoor, refusals: Refusals) -> None:
    for vector in load("viber/payloads_and_vectors.json")["signature_vectors"]:
        channel = channel_of("http://127.0.0.1:9", door, refusals, token=vector["auth_token"])
        async with served(channel.routes()) as url, aiohttp.ClientSession() as http:
            headers = {"X-Viber-Content-Signature": vector["signature"]}
            async with http.post(url + PATH, data=vector["body"].encode(), headers=headers) as answer:
                assert answer.status == (200 if vector["valid"] else 403)


async def test_what_could_not_be_kept_comes_again(
    viber: ViberStandIn, channel: ViberChannel, door: RecordingDoor
) -> None:
    door.shut = True
    await viber.phone(MARIA).says("ακούτε;")
    assert door.arrivals == []
    door.shut = False
    viber.lanes.hurry()
    (arrival,) = await door.until(lambda arrivals: len(arrivals) == 1)
    assert isinstance(arrival, Incoming)
    assert arrival.text == "ακούτε;"


def status(number: int) -> Fault:
    return Fault.status(200, f'{{"status": {number}, "status_message": "x"}}')


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        *((status(n), Misconfigured) for n in (2, 7, 8, 9, 10, 15)),
        *((status(n), Blocked) for n in (5, 6)),
        *((status(n), Rejected) for n in (3, 4, 11, 13, 14, 16, 17, 18, 19, 20)),
        *((status(n), Retry) for n in (1, 12, 99)),
        (Fault.status(200, '{"status": "6"}'), Blocked),
        (Fault.status(401, '{"status": "5"}'), Misconfigured),
        (Fault.status(429), Retry),
        (Fault.status(400), Rejected),
        (Fault.status(503, after_commit=True), Unknown),
        (Fault.garbage(after_commit=True), Unknown),
        (Fault.status(200, "[]"), Unknown),
        (Fault.reset(after_commit=True), Unknown),
    ],
)
async def test_errors_are_sorted(
    viber: ViberStandIn, channel: ViberChannel, fault: Fault, error: type[SendError]
) -> None:
    viber.phone(MARIA).subscribed = True
    viber.faults.add("/send_message", fault)
    with pytest.raises(error) as caught:
        await channel.send(MARIA, Outgoing("μυστικό"))
    assert "μυστικό" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert await channel.send(MARIA, Outgoing("γεια"))


async def test_silence_ends_at_our_time_out(
    viber: ViberStandIn, channel: ViberChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viber_client, "TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    viber.phone(MARIA).subscribed = True
    viber.faults.add("/send_message", Fault.timeout(after_commit=True))
    with pytest.raises(Unknown, match="Timeout"):
        await channel.send(MARIA, Outgoing("γεια"))
    assert viber.phone(MARIA).shows("γεια")


async def test_a_dead_provider_was_certainly_not_reached(door: RecordingDoor, refusals: Refusals) -> None:
    channel = channel_of("http://127.0.0.1:9", door, refusals)
    with pytest.raises(Retry, match="not reached"):
        await channel.send(MARIA, Outgoing("γεια"))
    await channel.stop()


async def test_the_webhook_is_registered_beside_the_start(
    viber: ViberStandIn, door: RecordingDoor, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.background.PAUSES", (0.01,))
    server = Server(aiohttp.web.Application())
    await server.start()
    await server.stop()
    channel = channel_of(viber.url, door, refusals, public_url=server.url)
    await channel.start()  # nobody listens yet: Viber refuses the address
    await viber.record.until(lambda: len(viber.record.requests("viber", "set_webhook")) >= 2)
    server.app = aiohttp.web.Application()
    server.app.add_routes(channel.routes())
    viber.phone(MARIA).subscribed = True
    async with server:
        async with asyncio.timeout(5):
            while not await delivered(channel):
                pass
        await viber.phone(MARIA).says("γεια")
        assert (await door.until(lambda arrivals: len(arrivals) >= 1))[-1]
    assert viber.event_types >= {"delivered", "seen", "failed", "conversation_started"}
    await channel.stop()


async def delivered(channel: ViberChannel) -> bool:
    """Viber sends nothing before it knows a webhook."""
    try:
        return bool(await channel.send(MARIA, Outgoing("γεια")))
    except Misconfigured:
        return False


async def test_no_log_line_holds_the_token_or_a_word(
    viber: ViberStandIn, channel: ViberChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    viber.phone(MARIA).subscribed = True
    await channel.send(MARIA, Outgoing("μυστικό"))
    assert TOKEN not in caplog.text
    assert "μυστικό" not in caplog.text
