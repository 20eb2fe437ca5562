"""How the Telegram stand-in delivers updates: secret, order, retries, and what blocks what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from sandbox import TelegramStandIn
from sandbox.lanes import NEVER, Backoff
from tests.sandbox.product import Got, Receiver

HOOK = "/webhooks/telegram"
QUICK = Backoff(scale=0.005)


@pytest.fixture
async def product() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def telegram(product: Receiver) -> AsyncIterator[TelegramStandIn]:
    async with TelegramStandIn("1:t", "hush", product.at(HOOK), backoff=QUICK) as stand_in:
        yield stand_in


def texts(product: Receiver) -> list[str]:
    return [got.json["message"]["text"] for got in product.got if "message" in got.json]


async def test_updates_carry_the_secret_and_rising_ids(telegram: TelegramStandIn, product: Receiver) -> None:
    phone = telegram.phone(1001, "Eleni", "en")
    await phone.says("one")
    await phone.says("two")
    assert [got.headers["X-Telegram-Bot-Api-Secret-Token"] for got in product.got] == ["hush", "hush"]
    first, second = (got.json for got in product.got)
    assert second["update_id"] == first["update_id"] + 1
    assert first["message"]["from"]["language_code"] == "en"


@pytest.mark.parametrize("status", [500, 403, 302])
async def test_a_refused_update_comes_again_before_the_next_one(
    telegram: TelegramStandIn, product: Receiver, status: int
) -> None:
    refusals = iter([status, status])
    product.answers[HOOK] = lambda got: web.Response(status=next(refusals, 200))
    phone = telegram.phone(1001)
    await phone.says("one")
    await phone.says("two", wait=False)
    await product.until(lambda got: len(got) == 4)
    assert texts(product) == ["one", "one", "one", "two"]
    assert len({got.json["update_id"] for got in product.got}) == 2


async def test_a_blocked_chat_does_not_block_another(telegram: TelegramStandIn, product: Receiver) -> None:
    def picky(got: Got) -> web.Response:
        return web.Response(status=500 if got.json["message"]["chat"]["id"] == 1001 else 200)

    product.answers[HOOK] = picky
    await telegram.phone(1001).says("stuck")
    await telegram.phone(1002).says("free")
    assert "free" in texts(product)
    await telegram.phone(1001).says("behind")
    assert "behind" not in texts(product)


async def test_a_tap_overtakes_a_stuck_message(telegram: TelegramStandIn, product: Receiver) -> None:
    def picky(got: Got) -> web.Response:
        return web.Response(status=500 if "message" in got.json else 200)

    product.answers[HOOK] = picky
    phone = telegram.phone(1001)
    await phone.says("stuck")
    await phone.taps_data(1, "forged")
    await product.until(lambda got: any("callback_query" in g.json for g in got))


async def test_nothing_is_lost_while_the_product_is_down(
    telegram: TelegramStandIn, product: Receiver
) -> None:
    phone = telegram.phone(1001)
    await product.server.stop()
    await phone.says("one")
    await phone.says("two")
    assert len(telegram.lanes.parcels) == 2
    await product.server.start()
    telegram.lanes.hurry()
    await product.until(lambda got: len(got) == 2)
    assert texts(product) == ["one", "two"]


async def test_retry_after_is_honoured(product: Receiver) -> None:
    answers = iter([web.Response(status=503, headers={"Retry-After": "3600"})])
    product.answers[HOOK] = lambda got: next(answers, None) or web.Response()
    async with TelegramStandIn("1:t", "", product.at(HOOK)) as telegram:
        await telegram.phone(1001).says("later")
        assert len(telegram.lanes.parcels) == 1
        telegram.lanes.hurry()
        await product.until(lambda got: len(got) == 2)


async def test_retries_can_be_turned_off(product: Receiver) -> None:
    product.on(HOOK, status=500)
    async with TelegramStandIn("1:t", "", product.at(HOOK), backoff=NEVER) as telegram:
        await telegram.phone(1001).says("once")
        await telegram.record.until(lambda: not telegram.lanes.parcels)
    assert texts(product) == ["once"]


async def test_an_expired_tap_is_dropped_and_the_lane_goes_on(product: Receiver) -> None:
    def picky(got: Got) -> web.Response:
        return web.Response(status=500 if got.json["callback_query"]["data"] == "poison" else 200)

    product.answers[HOOK] = picky
    async with TelegramStandIn("1:t", "", product.at(HOOK), backoff=Backoff(scale=0.0001)) as telegram:
        phone = telegram.phone(1001)
        await phone.taps_data(1, "poison")
        await phone.taps_data(1, "good")
        await telegram.record.until(lambda: not telegram.lanes.parcels)
    seen = [got.json["callback_query"]["data"] for got in product.got]
    assert seen == ["poison"] * 8 + ["good"]


def test_the_pauses_grow_as_the_real_ones() -> None:
    assert Backoff().pause(1, None) == 0
    assert [Backoff().pause(n, None) for n in range(2, 9)] == [2, 4, 8, 16, 32, 60, 60]
    assert Backoff(pauses=(1, 2), endless=False).pause(3, None) is None


async def test_the_answer_may_carry_a_method(telegram: TelegramStandIn, product: Receiver) -> None:
    body = '{"method": "sendMessage", "chat_id": 1001, "text": "at once"}'
    product.on(HOOK, body, content_type="application/json")
    phone = telegram.phone(1001)
    await phone.says("hello")
    assert (await phone.expects("at once")).by == "bot"


async def test_any_update_can_be_posted(telegram: TelegramStandIn, product: Receiver) -> None:
    phone = telegram.phone(1001)
    await phone.posts({"update_id": 5, "purple": {"unknown": True}})
    await phone.posts({"update_id": 5, "purple": {"unknown": True}})
    assert [got.json["update_id"] for got in product.got] == [5, 5]


async def test_the_screen_says_what_it_shows_when_waiting_was_in_vain(telegram: TelegramStandIn) -> None:
    phone = telegram.phone(1001)
    phone.show("something else", [])
    with pytest.raises(AssertionError, match="bot: something else"):
        await phone.expects("ticket", within=0.01)


async def test_each_message_is_expected_once(telegram: TelegramStandIn) -> None:
    phone = telegram.phone(1001)
    phone.show("again", [])
    phone.show("again", [])
    first, second = await phone.expects("again"), await phone.expects("again")
    assert first.message_id < second.message_id
    with pytest.raises(AssertionError):
        await phone.expects("again", within=0.01)


async def test_routes_lead_a_public_address_to_the_product(product: Receiver) -> None:
    routes = {"https://limani.example": product.server.url}
    webhook = f"https://limani.example{HOOK}"
    async with TelegramStandIn("1:t", "hush", webhook, routes=routes) as telegram:
        await telegram.phone(1001).says("hello")
    assert texts(product) == ["hello"]


async def test_state_outlives_a_restart_on_the_same_port(
    telegram: TelegramStandIn, product: Receiver
) -> None:
    await telegram.phone(1001).says("before")
    url = telegram.url
    await telegram.stop()
    await telegram.start()
    assert telegram.url == url
    await telegram.phone(1001).says("after")
    assert texts(product) == ["before", "after"]


async def test_expecting_wakes_up_for_a_later_message(telegram: TelegramStandIn) -> None:
    phone = telegram.phone(1001)
    waiting = asyncio.create_task(phone.expects(lambda shown: shown.text.endswith("now")))
    await asyncio.sleep(0)
    phone.show("here now", [])
    assert (await waiting).text == "here now"
