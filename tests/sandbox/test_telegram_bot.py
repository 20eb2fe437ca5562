"""The Telegram stand-in as python-telegram-bot's own client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from sandbox import Fault, TelegramStandIn

TOKEN = "123456:synthetic"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramStandIn]:
    async with TelegramStandIn(TOKEN, "hush") as stand_in:
        yield stand_in


@pytest.fixture
async def bot(telegram: TelegramStandIn) -> AsyncIterator[Bot]:
    bot = bot_of(telegram)
    async with bot:
        yield bot


def bot_of(telegram: TelegramStandIn, token: str = TOKEN) -> Bot:
    limits = {"read_timeout": 0.3, "connect_timeout": 0.3}
    return Bot(
        token,
        base_url=f"{telegram.url}/bot",
        base_file_url=f"{telegram.url}/file/bot",
        request=HTTPXRequest(**limits),  # type: ignore[arg-type]
        get_updates_request=HTTPXRequest(**limits),  # type: ignore[arg-type]
    )


def buttons(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label[:1])] for label in labels])


async def test_a_text_with_buttons_is_shown(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    sent = await bot.send_message(1001, "Τι χρειάζεστε;", reply_markup=buttons("Φαγητό", "Νερό"))
    shown = await phone.expects("Τι χρειάζεστε")
    assert (sent.message_id, sent.text, sent.chat.id) == (shown.message_id, shown.text, 1001)
    assert shown.labels == ["Φαγητό", "Νερό"]


async def test_a_wrong_token_is_refused(telegram: TelegramStandIn) -> None:
    with pytest.raises(InvalidToken):
        async with bot_of(telegram, "123456:other"):
            pass


@pytest.mark.parametrize(
    ("chat_id", "text", "complaint"),
    [
        (1001, "x" * 4097, "too long"),
        (1001, "  ", "empty"),
        (7, "hello", "chat not found"),
    ],
)
async def test_what_the_server_refuses(
    telegram: TelegramStandIn, bot: Bot, chat_id: int, text: str, complaint: str
) -> None:
    telegram.phone(1001)
    with pytest.raises(BadRequest, match=rf"(?i){complaint}"):
        await bot.send_message(chat_id, text)


async def test_4096_characters_are_not_too_many(telegram: TelegramStandIn, bot: Bot) -> None:
    telegram.phone(1001)
    assert (await bot.send_message(1001, "ω" * 4096)).message_id


async def test_callback_data_holds_64_bytes(telegram: TelegramStandIn, bot: Bot) -> None:
    telegram.phone(1001)
    for data, good in (("α" * 32, True), ("α" * 33, False)):
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data=data)]])
        if good:
            await bot.send_message(1001, "ok", reply_markup=markup)
        else:
            with pytest.raises(BadRequest, match=r"(?i)BUTTON_DATA_INVALID"):
                await bot.send_message(1001, "no", reply_markup=markup)


async def test_nine_buttons_in_a_row_are_too_many(telegram: TelegramStandIn, bot: Bot) -> None:
    telegram.phone(1001)
    row = [InlineKeyboardButton(str(n), callback_data=str(n)) for n in range(9)]
    with pytest.raises(BadRequest, match=r"(?i)too long"):
        await bot.send_message(1001, "no", reply_markup=InlineKeyboardMarkup([row]))


async def test_html_is_counted_and_shown_without_its_tags(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    await bot.send_message(1001, "<b>Call</b> 112 &amp; wait", parse_mode="HTML")
    assert phone.screen.said == ["Call 112 & wait"]
    with pytest.raises(BadRequest, match=r"(?i)can't parse entities"):
        await bot.send_message(1001, "<b>open", parse_mode="HTML")


async def test_a_blocked_bot_is_forbidden(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    await phone.blocks()
    with pytest.raises(Forbidden, match=r"(?i)blocked by the user"):
        await bot.send_message(1001, "hello")
    await phone.unblocks()
    assert await bot.send_message(1001, "hello")
    updates = await bot.get_updates(timeout=0)
    assert [u.my_chat_member.new_chat_member.status for u in updates if u.my_chat_member] == [
        "kicked",
        "member",
    ]


async def test_edits_replace_text_and_buttons(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    sent = await bot.send_message(1001, "one", reply_markup=buttons("a"))
    await bot.edit_message_text("two", 1001, sent.message_id)
    shown = await phone.expects("two")
    assert (shown.labels, shown.versions) == ([], ["one"])
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("two", 1001, sent.message_id)
    await bot.edit_message_reply_markup(1001, sent.message_id, reply_markup=buttons("b"))
    assert shown.labels == ["b"]
    with pytest.raises(BadRequest, match=r"(?i)not found"):
        await bot.edit_message_text("x", 1001, 99999)


async def test_a_tap_comes_back_and_is_answered_once(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    sent = await bot.send_message(1001, "choose", reply_markup=buttons("Food", "Water"))
    await phone.taps("Water")
    (update,) = await bot.get_updates(timeout=0)
    query = update.callback_query
    assert query is not None
    assert (query.data, query.from_user.id) == ("W", 1001)
    assert query.message is not None
    assert query.message.message_id == sent.message_id
    assert await query.answer()
    assert phone.taps_unanswered == []
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(query.id)


async def test_a_button_that_is_not_there_cannot_be_tapped(telegram: TelegramStandIn) -> None:
    with pytest.raises(AssertionError, match=r"(?i)no button"):
        await telegram.phone(1001).taps("nowhere")


async def test_a_reply_keyboard_sends_its_label_or_place(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    keyboard = ReplyKeyboardMarkup([[KeyboardButton("Εδώ είμαι", request_location=True)], ["Άλλο"]])
    await bot.send_message(1001, "where?", reply_markup=keyboard)
    await phone.taps("Εδώ είμαι")
    await phone.taps("Άλλο")
    place, text = [update.message for update in await bot.get_updates(timeout=0)]
    assert place is not None
    assert place.location is not None
    assert text is not None
    assert text.text == "Άλλο"


async def test_updates_wait_until_they_are_confirmed(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    said = await phone.says("γεια")
    await phone.edits(said.message_id, "γεια σας")
    first = await bot.get_updates(timeout=0)
    assert [u.update_id for u in first] == [u.update_id for u in await bot.get_updates(timeout=0)]
    assert first[0].message is not None
    assert first[1].edited_message is not None
    assert first[1].edited_message.text == "γεια σας"
    assert await bot.get_updates(offset=first[-1].update_id + 1, timeout=0) == ()


async def test_long_polling_wakes_up_for_a_message(telegram: TelegramStandIn, bot: Bot) -> None:
    polling = asyncio.create_task(bot.get_updates(timeout=5))
    await telegram.record.until(lambda: telegram.record.requests(path="getUpdates"))
    await telegram.phone(1001).says("hello")
    (update,) = await polling
    assert update.message is not None
    assert update.message.text == "hello"


async def test_polling_conflicts_with_a_webhook(telegram: TelegramStandIn, bot: Bot) -> None:
    await bot.set_webhook("https://limani.example/webhooks/telegram", secret_token="s3")
    with pytest.raises(Conflict):
        await bot.get_updates(timeout=0)
    assert (await bot.get_webhook_info()).url == "https://limani.example/webhooks/telegram"
    assert telegram.secret == "s3"
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""
    with pytest.raises(BadRequest, match=r"(?i)HTTPS"):
        await bot.set_webhook("http://limani.example/")


async def test_media_of_a_citizen_can_be_fetched(telegram: TelegramStandIn, bot: Bot) -> None:
    await telegram.phone(1001).sends_photo("ο λογαριασμός", b"\x89picture")
    (update,) = await bot.get_updates(timeout=0)
    assert update.message is not None
    assert update.message.caption == "ο λογαριασμός"
    file = await bot.get_file(update.message.photo[-1].file_id)
    assert await file.download_as_bytearray() == b"\x89picture"


async def test_documents_voices_and_places_are_sent(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    await bot.send_document(1001, b"%PDF", caption="form", filename="form.pdf")
    await bot.send_voice(1001, b"OggS")
    await bot.send_photo(1001, b"\x89", caption="map")
    await bot.send_location(1001, 35.3, 25.1)
    assert [shown.kind for shown in phone.screen] == ["document", "voice", "photo", "location"]


async def test_every_kind_of_stimulus_parses(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    await phone.starts("leaflet")
    await phone.shares_location(35.33, 25.14)
    await phone.shares_contact("+306900000099", of_someone_else=True)
    await phone.sends_sticker()
    await phone.sends_voice()
    await phone.sends_document("paper")
    messages = [update.message for update in await bot.get_updates(timeout=0)]
    assert [bool(m) for m in messages] == [True] * 6
    contact = messages[2].contact if messages[2] else None
    assert contact is not None
    assert contact.user_id is None


async def test_typing_commands_and_deletion(telegram: TelegramStandIn, bot: Bot) -> None:
    phone = telegram.phone(1001)
    assert await bot.send_chat_action(1001, "typing")
    assert await bot.set_my_commands([("start", "Αρχή")])
    assert telegram.commands == [{"command": "start", "description": "Αρχή"}]
    sent = await bot.send_message(1001, "gone soon")
    await bot.delete_message(1001, sent.message_id)
    assert phone.screen == []


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        (Fault.rate_limited(7), RetryAfter, False),
        (Fault.status(502, "<html>"), NetworkError, False),
        (Fault.garbage(), Exception, False),
        (Fault.reset(), NetworkError, False),
        (Fault.reset(after_commit=True), NetworkError, True),
        (Fault.timeout(), TimedOut, False),
        (Fault.timeout(after_commit=True), TimedOut, True),
    ],
)
async def test_faults_reach_the_client_as_in_life(
    telegram: TelegramStandIn, bot: Bot, fault: Fault, error: type[Exception], arrives: bool
) -> None:
    phone = telegram.phone(1001)
    telegram.faults.add("sendMessage", fault)
    with pytest.raises(error):
        await bot.send_message(1001, "first")
    assert phone.shows("first") is arrives
    await bot.send_message(1001, "second")
    assert phone.shows("second")


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_a_fault_can_be_meant_for_one_chat(telegram: TelegramStandIn, bot: Bot) -> None:
    telegram.phone(1001)
    telegram.phone(1002)
    telegram.faults.add("1002", Fault.rate_limited(3))
    assert await bot.send_message(1001, "fine")
    with pytest.raises(RetryAfter, match="3 seconds"):
        await bot.send_message(1002, "later")


async def test_the_token_is_not_recorded(telegram: TelegramStandIn, bot: Bot) -> None:
    telegram.phone(1001)
    await bot.send_message(1001, "x")
    (request,) = telegram.record.requests(provider="telegram", path="sendMessage")
    assert request.path == "/bot<token>/sendMessage"
    assert request.params["text"] == "x"
    assert TOKEN not in str(telegram.record.requests())
