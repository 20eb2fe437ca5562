"""The SMS channel over real HTTP: signed texts in, numbered choices out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Blocked, Misconfigured, Outgoing, Rejected, Retry, SendError, Unknown
from bot.channels.sms import PATH, STATUS_PATH, SmsChannel, as_text, sorted_error, understand
from bot.channels.webhook import Refusals
from bot.incoming import Incoming, Left, NotUnderstood, Receipt
from bot.twilio import TwilioBusy, TwilioClient, TwilioNotReached, TwilioRefused, TwilioUnknown
from flows.events import Button
from flows.session import StimulusKind
from sandbox import Fault, TwilioStandIn
from tests.bot.rig import RecordingDoor, served
from tests.specs import check_twilio

ACCOUNT, TOKEN = "AC" + "0" * 32, "synthetic-token"
OURS, MARIA = "+306900000100", "+306900000007"
PUBLIC = "https://limani.example"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(ACCOUNT, TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
async def channel(
    twilio: TwilioStandIn, door: RecordingDoor, refusals: Refusals
) -> AsyncIterator[SmsChannel]:
    """Behind a proxy: Twilio signs for the public address and arrives at another one."""
    client = TwilioClient(
        account_sid=ACCOUNT, auth_token=TOKEN, from_number=OURS, api_url=twilio.url, public_url=PUBLIC
    )
    made = SmsChannel(twilio=client, public_url=PUBLIC, door=door, refusals=refusals)
    async with served(made.routes()) as url:
        twilio.routes[PUBLIC] = url
        twilio.line(OURS, sms_url=PUBLIC + PATH)
        await made.start()
        yield made
        await made.stop()
    await client.stop()
    for request in twilio.record.requests("twilio"):
        check_twilio(request.path, request.params)


async def test_a_text_comes_in(twilio: TwilioStandIn, channel: SmsChannel, door: RecordingDoor) -> None:
    sms = await twilio.receive_sms(twilio.phone(MARIA), "δεν αντέχω άλλο", OURS)
    assert door.incoming() == Incoming(
        "sms", sms.sid, MARIA, StimulusKind.said, text="δεν αντέχω άλλο", message_id=sms.sid
    )
    assert twilio.phone(MARIA).sms == []


async def test_choices_are_numbered(twilio: TwilioStandIn, channel: SmsChannel, door: RecordingDoor) -> None:
    message = Outgoing("Έχετε νερό;", (Button("~a.0", "Ναι"), Button("~a.1", "Όχι")), location=True)
    sid = await channel.send(MARIA, message)
    await twilio.record.until(lambda: twilio.phone(MARIA).sms)
    assert [sms.body for sms in twilio.phone(MARIA).sms] == ["Έχετε νερό;\n1 Ναι\n2 Όχι"]
    (receipt,) = await door.until(lambda arrivals: len(arrivals) == 1)
    assert receipt == Receipt("sms", sid, "delivered")


async def test_the_largest_message_fits(twilio: TwilioStandIn, channel: SmsChannel) -> None:
    limits = channel.limits
    buttons = tuple(Button(f"~a.{n}", "ω" * limits.label) for n in range(limits.buttons))
    assert await channel.send(MARIA, Outgoing("ω" * limits.text, buttons))


async def test_a_text_that_did_not_arrive_is_told(
    twilio: TwilioStandIn, channel: SmsChannel, door: RecordingDoor
) -> None:
    twilio.phone(MARIA).sms_behaviour = "undelivered"
    sid = await channel.send(MARIA, Outgoing("γεια"))
    (receipt,) = await door.until(lambda arrivals: len(arrivals) == 1)
    assert receipt == Receipt("sms", sid, "failed", "30003")


@pytest.mark.parametrize("path", [PATH, STATUS_PATH])
async def test_a_forged_text_leaves_only_a_count(
    twilio: TwilioStandIn, channel: SmsChannel, door: RecordingDoor, refusals: Refusals, path: str
) -> None:
    form = {"From": MARIA, "MessageSid": "SM1", "Body": "x"}
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"X-Twilio-Signature": "wrong"}):
            async with http.post(twilio.routes[PUBLIC] + path, data=form, headers=headers) as answer:
                assert (answer.status, await answer.read()) == (403, b"")
        async with http.post(twilio.routes[PUBLIC] + path, data=b"\xff=%ff&" * 1000) as answer:
            assert answer.status == 403
    assert (door.arrivals, refusals.counts) == ([], {"sms": 3})


async def test_what_could_not_be_kept_is_a_503(
    twilio: TwilioStandIn, channel: SmsChannel, door: RecordingDoor
) -> None:
    door.shut = True
    url = PUBLIC + PATH
    answer = await twilio.ask(url, {"From": MARIA, "MessageSid": "SM1", "Body": "x"})
    assert answer.status == 503
    door.shut = False
    answer = await twilio.ask(url, {"From": MARIA, "MessageSid": "SM1", "Body": "x"})
    assert (answer.status, b"<Response" in answer.body) == (200, True)
    assert door.incoming().provider_key == "SM1"


def test_stop_start_and_pictures() -> None:
    base = {"From": MARIA, "MessageSid": "SM1", "Body": "STOP"}
    assert understand({**base, "OptOutType": "STOP"}) == Left("sms", MARIA)
    opened = understand({**base, "OptOutType": "START"})
    assert isinstance(opened, Incoming)
    assert opened.kind is StimulusKind.opened
    for content_type, kind in (("image/jpeg", "photo"), ("text/vcard", "document")):
        media = {"MediaUrl0": "https://m.example/1", "MediaContentType0": content_type}
        filed = understand({**base, "Body": "λογαριασμός", **media})
        assert isinstance(filed, Incoming)
        assert (filed.kind, filed.file_kind, filed.text) == (StimulusKind.filed, kind, "λογαριασμός")


def test_without_a_sender_it_is_strange() -> None:
    assert isinstance(understand({"Body": "x"}), NotUnderstood)


TEXT = st.text(st.characters(exclude_categories=()))
FIELDS = st.sampled_from(["From", "MessageSid", "Body", "OptOutType", "MediaUrl0"]) | TEXT


@given(st.dictionaries(FIELDS, TEXT))
def test_no_form_makes_it_raise(form: dict[str, str]) -> None:
    assert isinstance(understand(form), Incoming | Left | NotUnderstood)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (TwilioBusy(2.0), Retry),
        (TwilioNotReached(), Retry),
        (TwilioUnknown(), Unknown),
        (TwilioRefused(20003, 401, permanent=False, config=True), Misconfigured),
        (TwilioRefused(21610, 400, permanent=True, config=False), Blocked),
        (TwilioRefused(21617, 400, permanent=True, config=False), Rejected),
        (TwilioRefused(99999, 400, permanent=False, config=False), Retry),
    ],
)
def test_errors_are_sorted(error: Exception, meaning: type[SendError]) -> None:
    assert type(sorted_error(error)) is meaning  # type: ignore[arg-type]


async def test_a_failed_send_says_so(twilio: TwilioStandIn, channel: SmsChannel) -> None:
    twilio.faults.add("/Messages.json", Fault.reset(after_commit=True))
    with pytest.raises(Unknown):
        await channel.send(MARIA, Outgoing("γεια"))
    twilio.phone(MARIA).stopped = True
    with pytest.raises(Blocked):
        await channel.send(MARIA, Outgoing("γεια"))


def test_a_text_without_choices_stays_as_it_is() -> None:
    assert as_text(Outgoing("Καλημέρα")) == "Καλημέρα"
