"""The Twilio stand-in's REST side, driven by Twilio's own Python client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Fault, TwilioStandIn
from sandbox.gsm import encoding_of, segments_of
from tests.sandbox.product import Receiver
from tests.specs import check_twilio

SID, TOKEN = "AC" + "0" * 32, "synthetic"
pytestmark = pytest.mark.filterwarnings(
    r"ignore:.*(BasicAuth|auth. parameter) is deprecated:DeprecationWarning"
)
AUTH = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
ELENI, FROM = "+306900000001", "+306900000090"
SILENT = "<Response><Pause/></Response>"


@pytest.fixture
async def product() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(SID, TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
async def client(twilio: TwilioStandIn) -> AsyncIterator[Client]:
    http = AsyncTwilioHttpClient()
    yield client_of(twilio, http)
    await http.session.close()


def client_of(twilio: TwilioStandIn, http: AsyncTwilioHttpClient, token: str = TOKEN) -> Client:
    client = Client(SID, token, http_client=http)
    client.api.base_url = twilio.url
    return client


async def test_a_call_is_placed_read_and_ended(twilio: TwilioStandIn, client: Client) -> None:
    placed = await client.calls.create_async(to=ELENI, from_=FROM, twiml=SILENT)
    assert (placed.status, placed.to, placed.direction) == ("queued", ELENI, "outbound-api")
    call = await twilio.phone(ELENI).rings()
    assert call.sid == placed.sid
    assert (await client.calls(placed.sid).fetch_async()).status == "ringing"
    ended = await client.calls(placed.sid).update_async(status="completed")
    assert ended.status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        await client.calls(placed.sid).update_async(status="completed")
    assert refused.value.code == 21220


async def test_canceling_leaves_an_answered_call_alone(
    twilio: TwilioStandIn, client: Client, product: Receiver
) -> None:
    product.on("/twiml", "<Response><Gather><Say>press 4</Say></Gather></Response>")
    placed = await client.calls.create_async(to=ELENI, from_=FROM, url=product.at("/twiml"))
    await (await twilio.phone(ELENI).rings()).pick_up()
    assert (await client.calls(placed.sid).update_async(status="canceled")).status == "in-progress"
    assert (await client.calls(placed.sid).update_async(status="completed")).status == "completed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": "12"}, 21211),
        ({"from_": "12"}, 21212),
        ({"url": "nowhere"}, 21205),
        ({"status_callback": "nowhere"}, 21609),
        ({"status_callback_event": ["purple"]}, 21626),
        ({"twiml": "x" * 4001}, 21274),
        ({"machine_detection": "maybe"}, 21256),
        ({"method": "PUT"}, 21403),
    ],
)
async def test_a_wrong_call_is_refused(client: Client, wrong: dict[str, Any], code: int) -> None:
    good: dict[str, Any] = {"to": ELENI, "from_": FROM, "url": "http://127.0.0.1:9/twiml"}
    with pytest.raises(TwilioRestException) as refused:
        await client.calls.create_async(**{**good, **wrong})
    assert refused.value.code == code


async def test_without_the_right_token_nothing_is_served(twilio: TwilioStandIn) -> None:
    http = AsyncTwilioHttpClient()
    with pytest.raises(TwilioRestException) as refused:
        await client_of(twilio, http, "wrong").calls.create_async(to=ELENI, from_=FROM, twiml=SILENT)
    await http.session.close()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert twilio.calls == {}


async def test_unknown_things_are_404(twilio: TwilioStandIn, client: Client) -> None:
    for resource in (client.calls("CA" + "1" * 32), client.messages("SM" + "1" * 32)):
        with pytest.raises(TwilioRestException) as refused:
            await resource.fetch_async()
        assert refused.value.code == 20404


async def test_calls_can_be_listed_to_learn_an_unknown_outcome(twilio: TwilioStandIn, client: Client) -> None:
    await client.calls.create_async(to=ELENI, from_=FROM, twiml=SILENT)
    await client.calls.create_async(to="+306900000002", from_=FROM, twiml=SILENT)
    listed = await client.calls.list_async(to=ELENI, page_size=20)
    assert [call.to for call in listed] == [ELENI]
    assert await client.calls.list_async(to=ELENI, status="completed") == []


async def test_an_sms_arrives_and_its_fate_is_told(
    twilio: TwilioStandIn, client: Client, product: Receiver
) -> None:
    text = "ΕΠΕΙΓΟΝ HRK-7F3K"
    sent = await client.messages.create_async(
        to=ELENI, from_="Limani", body=text, status_callback=product.at("/sms")
    )
    assert (sent.status, sent.num_segments) == ("queued", "1")
    sms = await twilio.phone(ELENI).expects_sms("HRK-7F3K")
    assert (sms.body, sms.encoding, sms.segments) == (text, "UCS-2", 1)
    got = await product.until(lambda got: len(got) == 2)
    assert [g.form["MessageStatus"] for g in got] == ["sent", "delivered"]
    assert (await client.messages(sent.sid).fetch_async()).status == "delivered"


async def test_an_sms_that_does_not_arrive(twilio: TwilioStandIn, client: Client, product: Receiver) -> None:
    phone = twilio.phone(ELENI)
    phone.sms_behaviour = "undelivered"
    await client.messages.create_async(to=ELENI, from_=FROM, body="x", status_callback=product.at("/sms"))
    got = await product.until(lambda got: len(got) == 2)
    assert (got[1].form["MessageStatus"], got[1].form["ErrorCode"]) == ("undelivered", "30003")
    assert phone.sms == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"to": "abc"}, 21211), ({"body": ""}, 21602), ({"body": "x" * 1601}, 21617), ({"from_": ""}, 21603)],
)
async def test_a_wrong_sms_is_refused(client: Client, wrong: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**{"to": ELENI, "from_": FROM, "body": "x", **wrong})
    assert refused.value.code == code


async def test_who_texted_stop_gets_no_sms(twilio: TwilioStandIn, client: Client, product: Receiver) -> None:
    twilio.line(FROM, sms_url=product.at("/in"))
    phone = twilio.phone(ELENI)
    await phone.texts("STOP", to=FROM)
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=ELENI, from_=FROM, body="x")
    assert refused.value.code == 21610
    await phone.texts("START", to=FROM)
    assert await client.messages.create_async(to=ELENI, from_=FROM, body="x")


async def test_a_text_to_the_line_is_answered_by_twiml(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/in", "<Response><Message>Καλέστε 112</Message></Response>")
    twilio.line(FROM, sms_url=product.at("/in"))
    phone = twilio.phone(ELENI)
    await phone.texts("help", to=FROM)
    assert (await phone.expects_sms("112")).sender == FROM
    assert (product.got[0].form["Body"], product.got[0].form["From"]) == ("help", ELENI)


async def test_a_call_of_unknown_outcome_rings(twilio: TwilioStandIn) -> None:
    twilio.faults.add(ELENI, Fault.timeout(after_commit=True))
    form = {"To": ELENI, "From": FROM, "Twiml": SILENT}
    async with aiohttp.ClientSession(headers=AUTH) as session:
        address = f"{twilio.url}/2010-04-01/Accounts/{SID}/Calls.json"
        with pytest.raises(asyncio.TimeoutError):
            await session.post(address, data=form, timeout=aiohttp.ClientTimeout(total=0.1))
    assert (await twilio.phone(ELENI).rings()).status == "ringing"


async def test_a_429_was_never_processed(twilio: TwilioStandIn, client: Client) -> None:
    twilio.faults.add("/Calls.json", Fault.rate_limited())
    with pytest.raises(TwilioRestException) as refused:
        await client.calls.create_async(to=ELENI, from_=FROM, twiml=SILENT)
    assert (refused.value.status, refused.value.code) == (429, 20429)
    assert twilio.calls == {}


async def test_what_the_official_client_sends_fits_the_specification(
    twilio: TwilioStandIn, client: Client
) -> None:
    await client.calls.create_async(
        to=ELENI,
        from_=FROM,
        url="https://limani.example/voice",
        status_callback="https://limani.example/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        timeout=20,
        machine_detection="Enable",
    )
    await client.messages.create_async(to=ELENI, from_=FROM, body="x")
    for request in twilio.record.requests(provider="twilio"):
        check_twilio(request.path, request.params)
    assert "authorization" not in {name.lower() for name in request.headers}


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"From": FROM, "Url": "https://x.example/"}, "lacks"),
        ({"To": ELENI, "From": FROM, "Url": "https://x.example/", "Purple": "1"}, "does not know"),
        ({"To": ELENI, "From": FROM, "Url": "/relative"}, "no absolute address"),
        ({"To": ELENI, "From": FROM, "Url": "https://x.example/", "Method": "PUT"}, "not one of"),
        ({"To": ELENI, "From": FROM, "Url": "https://x.example/", "Timeout": "soon"}, "no whole number"),
        ({"To": ELENI, "From": FROM}, "either Url or Twiml"),
    ],
)
def test_the_specification_refuses(params: dict[str, str], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_twilio(f"/2010-04-01/Accounts/{SID}/Calls.json", params)


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("x" * 160, "GSM-7", 1),
        ("x" * 161, "GSM-7", 2),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("ΔΦΓΛΩΠΨΣΘΞ", "GSM-7", 1),
        ("ΕΠΕΙΓΟΝ", "UCS-2", 1),
        ("ά" * 70, "UCS-2", 1),
        ("ά" * 71, "UCS-2", 2),
        ("🙂" * 35, "UCS-2", 1),
        ("🙂" * 36, "UCS-2", 2),
    ],
)
def test_how_a_text_travels(text: str, encoding: str, segments: int) -> None:
    assert (encoding_of(text), segments_of(text)) == (encoding, segments)
