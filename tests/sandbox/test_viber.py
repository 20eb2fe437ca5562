"""The Viber stand-in over real HTTP: statuses, limits, signed callbacks, receipts."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox import Fault, ViberStandIn
from sandbox.lanes import Backoff
from sandbox.viber_sign import signature
from tests.sandbox.product import Receiver
from tests.specs import check_viber, load

TOKEN = "445da6az1s345z78-synthetic"
HOOK = "/webhooks/viber"


@pytest.fixture
async def product() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def viber(product: Receiver) -> AsyncIterator[ViberStandIn]:
    backoff = Backoff(pauses=(0, 0), endless=False)
    async with ViberStandIn(TOKEN, product.at(HOOK), backoff=backoff) as stand_in:
        yield stand_in


async def call(viber: ViberStandIn, path: str, token: str = TOKEN, **body: Any) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(headers={"X-Viber-Auth-Token": token}) as session,
        session.post(f"{viber.url}/{path}", json=body) as response,
    ):
        assert response.status == 200
        answer: dict[str, Any] = await response.json(content_type=None)
        return answer


def message(text: str = "hello", to: str = "u1=", **more: Any) -> dict[str, Any]:
    body = {"receiver": to, "type": "text", "text": text, "sender": {"name": "Limani"}, "min_api_version": 7}
    return {**body, **more}


def button(**more: Any) -> dict[str, Any]:
    return {"Columns": 6, "Rows": 1, "ActionType": "reply", "ActionBody": "b1", "Text": "Food", **more}


def keyboard(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "keyboard", "Buttons": list(buttons)}


async def test_callbacks_are_signed_over_the_raw_body(viber: ViberStandIn, product: Receiver) -> None:
    await viber.phone("u1=", "Δώρα").says("Καλημέρα 🙂")
    (got,) = product.got
    good = hmac.new(TOKEN.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Viber-Content-Signature"] == good
    assert got.json["message"] == {"type": "text", "text": "Καλημέρα 🙂"}
    assert got.json["sender"]["name"] == "Δώρα"
    assert len(str(got.json["message_token"])) == 19


def test_known_signatures() -> None:
    for vector in load("viber/payloads_and_vectors.json")["signature_vectors"]:
        made = signature(vector["auth_token"], vector["body"].encode())
        assert (made == vector["signature"]) is vector["valid"]


async def test_callbacks_have_the_published_shapes(viber: ViberStandIn, product: Receiver) -> None:
    samples = load("viber/payloads_and_vectors.json")["callbacks"]
    phone = viber.phone("u1=")
    await phone.opens("context information")
    await phone.subscribes()
    await phone.says("hello")
    await phone.shares_location(1.2, -1.3)
    await phone.shares_contact("+306900000001")
    await phone.sends_sticker()
    await phone.blocks()
    got = {g.json.get("message", {}).get("type") or g.json["event"]: g.json for g in product.got}
    for name, kind in [
        ("conversation_started", "conversation_started"),
        ("subscribed", "subscribed"),
        ("message_text", "text"),
        ("message_location", "location"),
        ("message_contact", "contact"),
        ("message_sticker", "sticker"),
        ("unsubscribed", "unsubscribed"),
    ]:
        assert set(samples[name]) <= set(got[kind]), name


async def test_a_subscriber_is_answered_and_a_receipt_comes(viber: ViberStandIn, product: Receiver) -> None:
    phone = viber.phone("u1=")
    await phone.says("hello")
    body = message(
        "Τι χρειάζεστε;", keyboard=keyboard(button(), button(Text="<b>Water</b>", ActionBody="b2"))
    )
    check_viber("send_message", body)
    answer = await call(viber, "send_message", **body)
    assert (answer["status"], answer["status_message"]) == (0, "ok")
    shown = await phone.expects("Τι χρειάζεστε")
    assert shown.labels == ["Food", "Water"]
    got = await product.until(lambda got: len(got) == 2)
    assert got[1].json["event"] == "delivered"
    assert got[1].json["message_token"] == answer["message_token"]
    await phone.reads()
    assert product.got[2].json["event"] == "seen"
    await phone.taps("Water")
    assert product.got[3].json["message"]["text"] == "b2"


async def test_whom_the_bot_may_write_to(viber: ViberStandIn, product: Receiver) -> None:
    assert (await call(viber, "send_message", **message()))["status"] == 5
    phone = viber.phone("u1=")
    assert (await call(viber, "send_message", **message()))["status"] == 6
    await phone.opens()
    assert (await call(viber, "send_message", **message("welcome")))["status"] == 0
    assert (await call(viber, "send_message", **message("one more")))["status"] == 6
    await phone.says("hi")
    assert (await call(viber, "send_message", **message()))["status"] == 0
    await phone.blocks()
    assert (await call(viber, "send_message", **message()))["status"] == 6


async def test_a_welcome_in_the_answer_is_shown(viber: ViberStandIn, product: Receiver) -> None:
    product.on(HOOK, json.dumps(message("Καλώς ήρθατε")), content_type="application/json")
    phone = viber.phone("u1=")
    await phone.opens()
    assert phone.screen.said == ["Καλώς ήρθατε"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"text": "x" * 7001}, 3),
        ({"text": "x" * 7000}, 0),
        ({"text": ""}, 4),
        ({"type": "purple"}, 3),
        ({"sender": {}}, 4),
        ({"sender": {"name": "x" * 29}}, 3),
        ({"receiver": ""}, 4),
        ({"tracking_data": "x" * 4097}, 3),
        ({"min_api_version": 99}, 13),
        ({"keyboard": keyboard()}, 3),
        ({"keyboard": keyboard(button(Text="x" * 251))}, 3),
        ({"keyboard": keyboard(button(Columns=7))}, 3),
        ({"keyboard": keyboard(button(Rows=3))}, 3),
        ({"keyboard": keyboard(button(ActionType="fly"))}, 3),
        ({"keyboard": keyboard(button(ActionBody=""))}, 4),
        ({"keyboard": keyboard(button(ActionType="location-picker")), "min_api_version": 1}, 3),
        ({"keyboard": keyboard(*[button(Text="x" * 240)] * 100)}, 3),
    ],
)
async def test_limits(viber: ViberStandIn, change: dict[str, Any], status: int) -> None:
    await viber.phone("u1=").says("hi")
    assert (await call(viber, "send_message", **message(**change)))["status"] == status


async def test_a_wrong_token_and_broken_json(viber: ViberStandIn) -> None:
    assert (await call(viber, "get_account_info", token="wrong"))["status"] == 2
    async with (
        aiohttp.ClientSession(headers={"X-Viber-Auth-Token": TOKEN}) as session,
        session.post(f"{viber.url}/send_message", data=b"{") as response,
    ):
        assert (response.status, (await response.json(content_type=None))["status"]) == (200, 3)


async def test_set_webhook_asks_the_address_first(viber: ViberStandIn, product: Receiver) -> None:
    assert (await call(viber, "set_webhook", url=product.at("/dead" * 2)))["status"] == 0
    assert product.got[0].json["event"] == "webhook"
    product.on("/gone", status=404)
    assert (await call(viber, "set_webhook", url=product.at("/gone")))["status"] == 1
    assert (await call(viber, "set_webhook", url=""))["status"] == 0
    await viber.phone("u1=").says("to nobody")
    assert (await call(viber, "send_message", **message()))["status"] == 10


async def test_event_types_choose_the_receipts(viber: ViberStandIn, product: Receiver) -> None:
    await call(viber, "set_webhook", url=product.at(HOOK), event_types=["failed"])
    phone = viber.phone("u1=")
    await phone.says("hi")
    await call(viber, "send_message", **message())
    phone.fails_next("no room")
    answer = await call(viber, "send_message", **message("lost"))
    got = await product.until(lambda got: len(got) == 3)
    assert got[2].json["event"] == "failed"
    assert (got[2].json["message_token"], got[2].json["desc"]) == (answer["message_token"], "no room")
    assert not phone.shows("lost")


async def test_a_callback_is_repeated_with_the_same_token(viber: ViberStandIn, product: Receiver) -> None:
    statuses = iter([500, 500])
    product.answers[HOOK] = lambda got: web.Response(status=next(statuses, 200))
    await viber.phone("u1=").says("again")
    got = await product.until(lambda got: len(got) == 3)
    assert len({g.json["message_token"] for g in got}) == 1
    assert len({g.headers["X-Viber-Content-Signature"] for g in got}) == 1


async def test_broadcasts(viber: ViberStandIn) -> None:
    for user in ("u1=", "u2="):
        await viber.phone(user).says("hi")
    body = message("Καύσωνας", broadcast_list=["u1=", "u2=", "u3="])
    del body["receiver"]
    answer = await call(viber, "broadcast_message", **body)
    assert [failed["receiver"] for failed in answer["failed_list"]] == ["u3="]
    assert viber.phone("u2=").shows("Καύσωνας")
    assert (await call(viber, "broadcast_message", **{**body, "broadcast_list": ["u1="] * 301}))[
        "status"
    ] == 3


async def test_account_and_user_details(viber: ViberStandIn) -> None:
    await viber.phone("u1=", "Νίκος", "en").says("hi")
    assert (await call(viber, "get_account_info"))["subscribers_count"] == 1
    assert (await call(viber, "get_user_details", id="u1="))["user"]["language"] == "en"
    assert (await call(viber, "get_user_details", id="nobody"))["status"] == 5


async def test_faults(viber: ViberStandIn) -> None:
    phone = viber.phone("u1=")
    await phone.says("hi")
    viber.faults.add("u1=", Fault.rate_limited())
    assert (await call(viber, "send_message", **message()))["status"] == 12
    viber.faults.add("/send_message", Fault.reset(after_commit=True))
    with pytest.raises(aiohttp.ClientError):
        await call(viber, "send_message", **message("unknown outcome"))
    assert phone.shows("unknown outcome")


async def test_a_photo_and_tracking_data_come_back(viber: ViberStandIn, product: Receiver) -> None:
    phone = viber.phone("u1=")
    await phone.says("hi")
    await call(viber, "send_message", **message(tracking_data="q7"))
    await phone.sends_photo("ο λογαριασμός")
    photo = next(g.json for g in product.got if g.json.get("message", {}).get("type") == "picture")
    assert photo["message"]["text"] == "ο λογαριασμός"
    assert photo["message"]["tracking_data"] == "q7"
