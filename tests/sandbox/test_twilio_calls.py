"""Calls as people live them: ringing, words, keys, silence, voicemail, and what the product is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlparse

import aiohttp
import pytest
from aiohttp import web
from multidict import MultiDict
from twilio.request_validator import (  # type: ignore[import-untyped]
    RequestValidator,
    add_port,
    remove_port,
)

from sandbox import TwilioStandIn
from sandbox.twilio_call import Call
from sandbox.twilio_sign import signature
from sandbox.twiml import announced_keys
from tests.sandbox.product import Got, Receiver
from tests.specs import SPECS

SID, TOKEN = "AC" + "0" * 32, "synthetic"
AUTH = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
ELENI, FROM = "+306900000001", "+306900000090"
VECTORS = SPECS / "twilio" / "signature_vectors.json"
EVERY = ["initiated", "ringing", "answered", "completed"]
MENU = (
    '<Response><!-- key=4 --><Gather numDigits="1" timeout="7" action="/digit?p=1&amp;q=2">'
    '<Say language="el-GR" voice="Google.el-GR-Standard-A">Πατήστε το 4</Say><Pause length="2"/>'
    "<Play>/press-4.mp3</Play></Gather><Say>Nobody pressed.</Say></Response>"
)
THANKS = "<Response><Say>Thank you</Say><Hangup/></Response>"


def signature_vectors() -> list[Any]:
    """Read while collecting: absent reference data leaves one empty, visibly skipped case."""
    return json.loads(VECTORS.read_text("utf-8")) if VECTORS.exists() else []


@pytest.fixture
async def product() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        receiver.on("/voice", MENU)
        receiver.on("/digit", THANKS)
        yield receiver


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(SID, TOKEN) as stand_in:
        yield stand_in


async def place(twilio: TwilioStandIn, product: Receiver, **more: Any) -> None:
    form: dict[str, Any] = {
        "To": ELENI,
        "From": FROM,
        "Url": product.at("/voice"),
        "StatusCallback": product.at("/status"),
        "StatusCallbackEvent": EVERY,
        **more,
    }
    pairs = [(k, v) for k, values in form.items() for v in (values if isinstance(values, list) else [values])]
    async with aiohttp.ClientSession(headers=AUTH) as session:
        address = f"{twilio.url}/2010-04-01/Accounts/{SID}/Calls.json"
        async with session.post(address, data=pairs) as response:
            assert response.status == 201, await response.text()


async def ringing(twilio: TwilioStandIn, product: Receiver, **more: Any) -> Call:
    await place(twilio, product, **more)
    return await twilio.phone(ELENI).rings()


def statuses(product: Receiver) -> list[str]:
    return [got.form["CallStatus"] for got in product.got if got.path == "/status"]


async def test_a_key_is_asked_for_and_pressed(twilio: TwilioStandIn, product: Receiver) -> None:
    call = await (await ringing(twilio, product)).pick_up()
    assert [(w.text, w.language, w.kind) for w in call.heard] == [
        ("Πατήστε το 4", "el-GR", "say"),
        (product.at("/press-4.mp3"), "", "play"),
    ]
    assert (call.comments, call.announced_key) == (["key=4"], "4")
    assert await call.presses("4")
    assert call.words.endswith("Thank you")
    await call.told()
    assert statuses(product) == ["initiated", "ringing", "in-progress", "completed"]
    digit = next(got for got in product.got if got.path == "/digit")
    assert (digit.form["Digits"], digit.form["CallSid"]) == ("4", call.sid)
    assert digit.url == product.at("/digit?p=1&q=2")
    assert not await call.presses("4")


async def test_every_webhook_is_signed_as_the_official_validator_wants(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    call = await (await ringing(twilio, product)).pick_up()
    await call.presses("4")
    await call.told()
    validator = RequestValidator(TOKEN)
    assert len(product.got) == 6
    for got in product.got:
        assert validator.validate(got.url, got.form, got.headers["X-Twilio-Signature"]), got.path
    tokens = [got.headers["I-Twilio-Idempotency-Token"] for got in product.got]
    assert len(set(tokens)) == len(tokens)


@pytest.mark.parametrize("vector", signature_vectors(), ids=lambda vector: vector["name"])
def test_signatures_with_known_answers(vector: dict[str, Any]) -> None:
    form = _pairs(vector["params"] or {})
    address = urlparse(vector["url"])
    made = {signature(vector["auth_token"], url, form) for url in (add_port(address), remove_port(address))}
    assert (vector["signature"] in made) is vector["valid"]
    validator = RequestValidator(vector["auth_token"])
    sent: Any = vector["body"] if "bodySHA256" in vector["url"] else MultiDict(form)
    assert all(validator.validate(vector["url"], sent, one) for one in made)


def _pairs(params: Any) -> list[tuple[str, str]]:
    pairs = params.items() if isinstance(params, dict) else params
    return [(name, one) for name, value in pairs for one in (value if isinstance(value, list) else [value])]


async def test_callbacks_are_numbered_in_order(twilio: TwilioStandIn, product: Receiver) -> None:
    call = await ringing(twilio, product)
    await (await call.pick_up()).hang_up()
    got = [g.form for g in product.got if g.path == "/status"]
    assert [form["SequenceNumber"] for form in got] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in got} == {"call-progress-events"}
    assert all(form["Timestamp"] for form in got)
    assert got[-1]["CallDuration"] == "0"


async def test_without_events_only_the_end_is_told(twilio: TwilioStandIn, product: Receiver) -> None:
    call = await ringing(twilio, product, StatusCallbackEvent=[])
    await (await call.pick_up()).hang_up()
    assert statuses(product) == ["completed"]


@pytest.mark.parametrize(
    ("act", "status"),
    [("busy", "busy"), ("declines", "busy"), ("fails", "failed"), ("no_answer", "no-answer")],
)
async def test_calls_that_nobody_takes(
    twilio: TwilioStandIn, product: Receiver, act: str, status: str
) -> None:
    await place(twilio, product)
    call = await getattr(twilio.phone(ELENI), act)()
    assert (call.status, call.heard) == (status, [])
    assert statuses(product) == ["initiated", "ringing", status]


@pytest.mark.parametrize(
    ("behaviour", "status"), [("busy", "busy"), ("fails", "failed"), ("voicemail", "completed")]
)
async def test_a_phone_may_behave_by_itself(
    twilio: TwilioStandIn, product: Receiver, behaviour: Any, status: str
) -> None:
    twilio.phone(ELENI).behaviour = behaviour
    await place(twilio, product)
    await product.until(lambda got: bool(got) and got[-1].form.get("CallStatus") == status)


async def test_a_phone_may_behave_as_written(twilio: TwilioStandIn, product: Receiver) -> None:
    async def takes_it(call: Call) -> None:
        await (await call.pick_up()).presses_announced_key()

    twilio.phone(ELENI).behaviour = takes_it
    await place(twilio, product)
    await product.until(lambda got: any(g.path == "/digit" and g.form["Digits"] == "4" for g in got))


async def test_a_phone_may_press_whatever_key_is_asked_for(twilio: TwilioStandIn, product: Receiver) -> None:
    again = '<Response><Gather numDigits="1" action="/sure"><Say>Now press 1</Say></Gather></Response>'
    product.on("/digit", again)
    product.on("/sure", THANKS)
    twilio.phone(ELENI).behaviour = "acknowledges"
    await place(twilio, product)
    await product.until(lambda got: any(g.path == "/sure" and g.form["Digits"] == "1" for g in got))
    assert twilio.phone(ELENI).calls[0].pressed == ["4", "1"]


async def test_silence_falls_through_to_the_next_verb(twilio: TwilioStandIn, product: Receiver) -> None:
    call = await (await ringing(twilio, product)).pick_up()
    await call.silence()
    assert call.words.endswith("Nobody pressed.")
    assert call.status == "completed"
    assert not any(got.path == "/digit" for got in product.got)


async def test_an_empty_result_is_posted_when_asked_for(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/voice", '<Response><Gather actionOnEmptyResult="true" action="/digit"/></Response>')
    call = await (await ringing(twilio, product)).pick_up()
    await call.silence()
    assert [got.form["Digits"] for got in product.got if got.path == "/digit"] == [""]


async def test_finish_key_and_several_digits(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/voice", '<Response><Gather finishOnKey="#" action="/digit"/></Response>')
    call = await (await ringing(twilio, product)).pick_up()
    await call.presses("123#")
    assert [got.form["Digits"] for got in product.got if got.path == "/digit"] == ["123"]


async def test_a_gather_without_action_asks_the_same_address(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    pages = iter(['<Response><Gather numDigits="1"/></Response>', THANKS])
    product.answers["/voice"] = lambda got: web.Response(text=next(pages), content_type="text/xml")
    call = await (await ringing(twilio, product)).pick_up()
    await call.presses("9")
    assert [got.form.get("Digits") for got in product.got if got.path == "/voice"] == [None, "9"]


async def test_two_keys_in_two_prompts(twilio: TwilioStandIn, product: Receiver) -> None:
    again = '<Response><Gather numDigits="1" action="/sure"><Say>Now press 1</Say></Gather></Response>'
    product.on("/digit", again)
    product.on("/sure", THANKS)
    call = await (await ringing(twilio, product)).pick_up()
    await call.presses_announced_key()
    assert call.announced_key == "1"
    assert await call.presses_announced_key()
    assert call.pressed == ["4", "1"]


async def test_redirects_are_followed_relative_to_the_document(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    product.on("/voice", '<Response><Redirect method="GET">sub/next?x=1</Redirect></Response>')
    product.on("/sub/next", THANKS)
    call = await (await ringing(twilio, product)).pick_up()
    assert call.words == "Thank you"
    got = product.got[-2] if product.got[-1].path == "/status" else product.got[-1]
    assert got.method == "GET"
    assert RequestValidator(TOKEN).validate(got.url, {}, got.headers["X-Twilio-Signature"])


async def test_a_voicemail_hears_all_and_presses_nothing(twilio: TwilioStandIn, product: Receiver) -> None:
    await place(twilio, product, MachineDetection="Enable")
    call = await twilio.phone(ELENI).voicemail()
    assert call.words.endswith("Nobody pressed.")
    assert (call.answered_by, call.pressed) == ("machine_start", [])
    first = next(got for got in product.got if got.path == "/voice")
    assert first.form["AnsweredBy"] == "machine_start"
    assert statuses(product)[-1] == "completed"


async def test_machine_detection_beside_the_call(twilio: TwilioStandIn, product: Receiver) -> None:
    amd = {"MachineDetection": "DetectMessageEnd", "AsyncAmd": "true"}
    await place(twilio, product, AsyncAmdStatusCallback=product.at("/amd"), **amd)
    await twilio.phone(ELENI).voicemail()
    got = await product.until(lambda got: any(g.path == "/amd" for g in got))
    assert next(g for g in got if g.path == "/amd").form["AnsweredBy"] == "machine_end_beep"
    assert "AnsweredBy" not in next(g for g in got if g.path == "/voice").form


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ("", 500, "text/xml", 11200),
        ("not xml", 200, "text/xml", 12100),
        ("<Answer/>", 200, "text/xml", 12102),
        ("<Response><Sing/></Response>", 200, "text/xml", 12200),
        (THANKS, 200, "text/plain", 12300),
    ],
)
async def test_broken_twiml_falls_back(
    twilio: TwilioStandIn, product: Receiver, body: str, status: int, kind: str, code: int
) -> None:
    product.on("/voice", body, status, kind)
    product.on("/spare", "<Response><Say>Call the coordinator</Say></Response>")
    call = await (await ringing(twilio, product, FallbackUrl=product.at("/spare"))).pick_up()
    assert call.errors == [code]
    assert call.words == "Call the coordinator"
    assert next(got for got in product.got if got.path == "/spare").form["ErrorCode"] == str(code)


async def test_without_fallback_an_apology_is_heard(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/voice", status=500)
    call = await (await ringing(twilio, product)).pick_up()
    assert "application error" in call.words
    assert call.status == "completed"


async def test_the_fragment_orders_repeats_and_is_not_signed(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    answers = iter([503, 503])

    def flaky(got: Got) -> web.Response:
        return web.Response(status=next(answers, 200), text=THANKS, content_type="text/xml")

    product.answers["/voice"] = flaky
    call = await (await ringing(twilio, product, Url=product.at("/voice") + "#rc=3&rp=5xx")).pick_up()
    assert (call.words, call.errors) == ("Thank you", [])
    tries = [got for got in product.got if got.path == "/voice"]
    assert len(tries) == 3
    assert len({got.headers["I-Twilio-Idempotency-Token"] for got in tries}) == 1
    assert RequestValidator(TOKEN).validate(
        product.at("/voice"), tries[0].form, tries[0].headers["X-Twilio-Signature"]
    )


async def test_a_conference_is_joined_until_the_end(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/voice", '<Response><Dial action="/digit"><Conference>room</Conference></Dial></Response>')
    call = await (await ringing(twilio, product)).pick_up()
    assert call.connected is not None
    assert (call.connected.kind, call.connected.name) == ("conference", "room")
    assert not await call.presses("4")
    await call.connection_ends()
    assert call.words == "Thank you"


async def test_record_and_reject(twilio: TwilioStandIn, product: Receiver) -> None:
    product.on("/voice", '<Response><Record action="/digit"/></Response>')
    call = await (await ringing(twilio, product)).pick_up()
    await call.silence()
    assert "RecordingUrl" in next(got for got in product.got if got.path == "/digit").form
    product.on("/line", '<Response><Reject reason="busy"/></Response>')
    twilio.line(FROM, voice_url=product.at("/line"))
    assert (await twilio.phone(ELENI).dials(FROM)).status == "busy"


async def test_somebody_dials_the_line(twilio: TwilioStandIn, product: Receiver) -> None:
    twilio.line(FROM, voice_url=product.at("/voice"))
    call = await twilio.phone(ELENI).dials(FROM)
    assert call.direction == "inbound"
    form = product.got[0].form
    assert (form["From"], form["To"], form["Direction"]) == (ELENI, FROM, "inbound")
    await call.presses("4")
    assert call.words.endswith("Thank you")


async def test_the_product_redirects_and_ends_a_running_call(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    call = await (await ringing(twilio, product)).pick_up()
    address = f"{twilio.url}/2010-04-01/Accounts/{SID}/Calls/{call.sid}.json"
    async with aiohttp.ClientSession(headers=AUTH) as session:
        taken = "<Response><Gather><Say>Nikos has taken it</Say></Gather></Response>"
        await session.post(address, data={"Twiml": taken})
        await twilio.record.until(lambda: "Nikos has taken it" in call.words)
        await session.post(address, data={"Status": "completed"})
    assert call.status == "completed"
    await call.told()
    assert statuses(product)[-1] == "completed"


async def test_with_time_running_calls_ring_out_and_prompts_end(product: Receiver) -> None:
    async with TwilioStandIn(SID, TOKEN, seconds=0.001) as twilio:
        call = await ringing(twilio, product, Timeout="5")
        await product.until(lambda got: bool(got) and got[-1].form.get("CallStatus") == "no-answer")
        assert call.status == "no-answer"
        second = await ringing(twilio, product, Timeout="600")
        await second.pick_up()
        await twilio.record.until(lambda: second.over)
        assert second.words.endswith("Nobody pressed.")


async def test_with_time_running_a_key_stops_the_words(product: Receiver) -> None:
    async with TwilioStandIn(SID, TOKEN, seconds=1.0) as twilio:
        call = await (await ringing(twilio, product)).pick_up()
        twilio.seconds = 0.001
        assert await call.presses("4")
        assert [words.text for words in call.heard] == ["Πατήστε το 4", "Thank you"]


async def test_words_keys_and_rings_are_told_to_whoever_listens(
    twilio: TwilioStandIn, product: Receiver
) -> None:
    with twilio.record.listening() as feed:
        call = await (await ringing(twilio, product)).pick_up()
        await call.presses("4")
    kinds = [feed.get_nowait()["kind"] for _ in range(feed.qsize())]
    assert kinds == ["rings", "picked_up", "words", "words", "key", "words", "ended"]


@pytest.mark.parametrize(
    ("texts", "keys"),
    [
        (["To take it, press 4."], ["4"]),
        (["Πατήστε το 7 για να το αναλάβετε"], ["7"]),
        (["https://x.example/prompts/el/press-3.mp3"], ["3"]),
        (["key=5"], ["5"]),
        (["Press 4 to take it, press 9 to pass"], ["4", "9"]),
        (["There are 4 people"], []),
    ],
)
def test_announced_keys(texts: list[str], keys: list[str]) -> None:
    assert announced_keys(texts) == keys
