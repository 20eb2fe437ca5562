"""Calls and texts against the Twilio stand-in: every request as Twilio's own document describes it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot import twilio_http
from bot.twilio import (
    TwilioBusy,
    TwilioClient,
    TwilioNotReached,
    TwilioRefused,
    TwilioUnknown,
)
from sandbox import Fault, TwilioStandIn
from store.clock import monotonic
from tests.sandbox.product import Receiver
from tests.specs import check_twilio

ACCOUNT, TOKEN = "AC" + "0" * 32, "synthetic-token"
OURS, ELENI = "+306900000100", "+306900000001"
PUBLIC = "https://limani.example"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(ACCOUNT, TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
async def client(twilio: TwilioStandIn) -> AsyncIterator[TwilioClient]:
    client = client_of(twilio.url)
    yield client
    await client.stop()


def client_of(api_url: str, token: str = TOKEN, sender: str = OURS) -> TwilioClient:
    return TwilioClient(
        account_sid=ACCOUNT, auth_token=token, from_number=sender, api_url=api_url, public_url=PUBLIC
    )


async def call(client: TwilioClient, to: str = ELENI, **more: Any) -> str:
    given = {"ring_seconds": 25, "machine_detection": True, **more}
    return await client.create_call(to=to, url=f"{PUBLIC}/voice", status_callback=f"{PUBLIC}/status", **given)


async def test_a_call_rings_as_ordered(twilio: TwilioStandIn, client: TwilioClient) -> None:
    sid = await call(client)
    await twilio.record.until(lambda: twilio.calls[sid].status == "ringing")
    order = twilio.calls[sid].order
    assert (order.url, order.status_url, order.ring_seconds) == (f"{PUBLIC}/voice", f"{PUBLIC}/status", 25)
    assert order.events == ("initiated", "ringing", "answered", "completed")
    assert (order.machine_detection, order.async_amd_url) == ("Enable", f"{PUBLIC}/status")
    assert await client.fetch_call(sid) == "ringing"


async def test_without_machine_detection_none_is_ordered(twilio: TwilioStandIn, client: TwilioClient) -> None:
    sid = await call(client, machine_detection=False)
    assert twilio.calls[sid].order.machine_detection == ""


async def test_every_request_is_as_twilio_describes_it(twilio: TwilioStandIn, client: TwilioClient) -> None:
    sid = await call(client)
    await client.end_call(sid, answered=True)
    await client.send_sms(to=ELENI, body="HRK-7F3K", status_callback=f"{PUBLIC}/s")
    await client.send_sms(to=ELENI, body="HRK-7F3K")
    requests = twilio.record.requests("twilio")
    assert len(requests) == 4
    for request in requests:
        check_twilio(request.path, request.params)


async def test_a_ringing_call_is_cancelled(client: TwilioClient) -> None:
    sid = await call(client)
    await client.end_call(sid, answered=False)
    assert await client.fetch_call(sid) == "canceled"


@pytest.mark.parametrize("answered", [True, False])
async def test_an_answered_call_is_completed_even_if_we_did_not_know(
    twilio: TwilioStandIn, client: TwilioClient, answered: bool
) -> None:
    async with Receiver() as product:
        product.on("/voice", "<Response><Gather><Say>Press 4</Say></Gather></Response>")
        twilio.routes[PUBLIC] = product.server.url
        sid = await call(client, machine_detection=False)
        await twilio.record.until(lambda: twilio.calls[sid].status == "ringing")
        await twilio.calls[sid].pick_up()
        assert await client.fetch_call(sid) == "in-progress"
        await client.end_call(sid, answered=answered)
        assert await client.fetch_call(sid) == "completed"


async def test_ending_what_is_over_or_unknown_is_no_error(
    twilio: TwilioStandIn, client: TwilioClient
) -> None:
    sid = await call(client)
    twilio.calls[sid].finish("busy")
    await client.end_call(sid, answered=False)
    await client.end_call("CA" + "f" * 32, answered=True)
    assert await client.fetch_call(sid) == "busy"


async def test_a_text_arrives(twilio: TwilioStandIn, client: TwilioClient) -> None:
    sid = await client.send_sms(to=ELENI, body="HRK-7F3K", status_callback=f"{PUBLIC}/s")
    await twilio.record.until(lambda: twilio.phone(ELENI).sms)
    assert [sms.body for sms in twilio.phone(ELENI).sms] == ["HRK-7F3K"]
    assert twilio.messages[sid].status_url == f"{PUBLIC}/s"
    await twilio.record.until(lambda: twilio.messages[sid].status == "delivered")
    assert await client.fetch_sms(sid) == "delivered"


async def test_an_impossible_number_is_refused_for_good(client: TwilioClient) -> None:
    with pytest.raises(TwilioRefused) as caught:
        await client.send_sms(to="+3069", body="x")
    assert (caught.value.code, caught.value.permanent, caught.value.config) == (21211, True, False)
    assert "3069" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_phone_that_said_stop_is_refused_for_good(
    twilio: TwilioStandIn, client: TwilioClient
) -> None:
    twilio.phone(ELENI).stopped = True
    with pytest.raises(TwilioRefused) as caught:
        await client.send_sms(to=ELENI, body="x")
    assert (caught.value.code, caught.value.permanent) == (21610, True)


async def test_a_wrong_token_is_our_own_fault(twilio: TwilioStandIn) -> None:
    client = client_of(twilio.url, token="another")
    with pytest.raises(TwilioRefused) as caught:
        await call(client)
    assert (caught.value.code, caught.value.status, caught.value.config) == (20003, 401, True)
    await client.stop()


async def test_a_wrong_sender_is_our_own_fault(twilio: TwilioStandIn) -> None:
    client = client_of(twilio.url, sender="nobody")
    with pytest.raises(TwilioRefused) as caught:
        await call(client)
    assert (caught.value.code, caught.value.config) == (21212, True)
    await client.stop()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.status(500), TwilioUnknown),
        (Fault.status(503, after_commit=True), TwilioUnknown),
        (Fault.status(302), TwilioUnknown),
        (Fault.status(408), TwilioUnknown),
        (Fault.garbage(after_commit=True), TwilioUnknown),
        (Fault.status(200, "[]"), TwilioUnknown),
        (Fault.status(201, '{"sid": 7}'), TwilioUnknown),
        (Fault.reset(after_commit=True), TwilioUnknown),
        (Fault.status(400, "no JSON"), TwilioRefused),
        (Fault.status(400, '{"code": "x"}'), TwilioRefused),
    ],
)
async def test_a_bad_answer_gets_its_true_name(
    twilio: TwilioStandIn, client: TwilioClient, fault: Fault, error: type[Exception]
) -> None:
    twilio.faults.add("/Calls.json", fault)
    with pytest.raises(error):
        await call(client)
    assert await call(client)


async def test_silence_ends_at_our_time_out(
    twilio: TwilioStandIn, client: TwilioClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_http, "TIMEOUT", aiohttp.ClientTimeout(total=0.3, sock_connect=0.3))
    twilio.faults.add("/Calls.json", Fault.timeout(after_commit=True))
    began = monotonic()
    with pytest.raises(TwilioUnknown):
        await call(client)
    assert monotonic() - began < 3
    assert len(twilio.calls) == 1


async def test_too_many_requests_say_when_to_come_back(twilio: TwilioStandIn, client: TwilioClient) -> None:
    twilio.faults.add("/Calls.json", Fault.rate_limited())
    with pytest.raises(TwilioBusy) as caught:
        await call(client)
    assert caught.value.after is None
    with pytest.raises(TwilioBusy) as told:
        twilio_http.sorted_reply(twilio_http.Reply(429, "", {"Retry-After": "3"}))
    assert told.value.after == 3


async def test_a_dead_address_was_certainly_not_reached() -> None:
    client = client_of("http://127.0.0.1:9")
    with pytest.raises(TwilioNotReached):
        await call(client)
    await client.stop()


async def test_twilio_s_own_environment_does_not_bend_the_address(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    client = client_of(twilio.url)
    assert await call(client)
    await client.stop()


async def test_the_sdk_is_not_loaded_at_import() -> None:
    code = "import sys, bot.twilio; print('twilio.rest' in sys.modules, 'requests' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.decode().split() == ["False", "False"]
