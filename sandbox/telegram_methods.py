"""The Bot API methods, one function each: `METHODS[name](telegram, params) -> result`.

Results carry the fields that clients read; refusals are raised as `Refusal`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from sandbox.asked import Upload
from sandbox.screen import Shown
from sandbox.telegram_checks import CAPTION_LIMIT, Refusal, bad, parsed_markup, parsed_text

if TYPE_CHECKING:
    from sandbox.telegram import TelegramStandIn
    from sandbox.telegram_phone import TelegramPhone

__all__ = ["METHODS", "Refusal"]
Params = dict[str, Any]
Method = Callable[["TelegramStandIn", Params], Awaitable[Any]]
LONGEST_POLL = 50  # seconds


def phone_of(telegram: TelegramStandIn, params: Params) -> TelegramPhone:
    """The phone that the request is for; raises Refusal where a bot cannot write."""
    if "chat_id" not in params:
        raise bad("chat_id is empty")
    number = str(params["chat_id"])
    phone = telegram.phones.get(int(number)) if number.lstrip("-").isdigit() else None
    if phone is None and telegram.anybody and number.isdigit():
        phone = telegram.phone(int(number))
    if phone is None:
        raise bad("chat not found")
    if phone.blocked:
        raise Refusal(403, "Forbidden: bot was blocked by the user")
    if phone.deactivated:
        raise Refusal(403, "Forbidden: user is deactivated")
    return phone


async def get_me(telegram: TelegramStandIn, params: Params) -> Any:
    """Who the bot is."""
    return telegram.me


async def send_message(telegram: TelegramStandIn, params: Params) -> Any:
    """A text with buttons appears on the phone."""
    phone = phone_of(telegram, params)
    if "text" not in params:
        raise bad("message text is empty")
    text, buttons = parsed_text(params), parsed_markup(params.get("reply_markup"))
    return phone.show(text, buttons, markup=params.get("reply_markup"))


def sending(kind: str, needs: tuple[str, ...]) -> Method:
    """sendPhoto, sendVoice and their like: a captioned thing of one kind."""

    async def send(telegram: TelegramStandIn, params: Params) -> Any:
        phone = phone_of(telegram, params)
        for name in needs:
            if params.get(name) in (None, ""):
                raise bad(f"there is no {name} in the request")
        text = parsed_text(params, "caption", CAPTION_LIMIT)
        extra = _content(telegram, kind, params)
        return phone.show(text, parsed_markup(params.get("reply_markup")), kind=kind, extra=extra)

    return send


def _content(telegram: TelegramStandIn, kind: str, params: Params) -> dict[str, Any]:
    if kind == "location":
        place = {name: float(params[name]) for name in ("latitude", "longitude")}
        return {"location": place}
    given = params[kind]
    data = given.data if isinstance(given, Upload) else str(given).encode()
    file: Any = telegram_file(telegram, f"{kind}-{len(telegram.files) + 1}", data)
    if kind == "voice":
        file["duration"] = 1
    return {kind: [{**file, "width": 90, "height": 90}] if kind == "photo" else file}


def telegram_file(telegram: TelegramStandIn, name: str, data: bytes) -> dict[str, Any]:
    """Keep a file and describe it as the Bot API does."""
    telegram.files[name] = data
    return {"file_id": name, "file_unique_id": name, "file_size": len(data)}


def _own(phone: TelegramPhone, params: Params) -> Shown:
    shown = phone.screen.find(int(params.get("message_id", 0) or 0))
    if shown is None:
        raise bad("message to edit not found")
    if shown.by != "bot":
        raise bad("message can't be edited")
    return shown


async def edit_message_text(telegram: TelegramStandIn, params: Params) -> Any:
    """Text and buttons are replaced; no markup means no buttons."""
    phone = phone_of(telegram, params)
    shown, text = _own(phone, params), parsed_text(params)
    buttons = parsed_markup(params.get("reply_markup"))
    return _changed(phone, shown, text, buttons)


async def edit_message_reply_markup(telegram: TelegramStandIn, params: Params) -> Any:
    """Only the buttons are replaced."""
    phone = phone_of(telegram, params)
    shown = _own(phone, params)
    return _changed(phone, shown, shown.text, parsed_markup(params.get("reply_markup")))


def _changed(phone: TelegramPhone, shown: Shown, text: str, buttons: list[Any]) -> Any:
    if (text, buttons) == (shown.text, shown.buttons):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    return phone.change(shown, text, buttons)


async def delete_message(telegram: TelegramStandIn, params: Params) -> Any:
    """The message leaves the screen."""
    phone = phone_of(telegram, params)
    shown = phone.screen.find(int(params.get("message_id", 0) or 0))
    if shown is None:
        raise bad("message to delete not found")
    phone.screen.remove(shown)
    telegram.happened("deleted", str(phone.chat_id), id=str(shown.message_id))
    return True


async def answer_callback_query(telegram: TelegramStandIn, params: Params) -> Any:
    """The tapped button stops spinning."""
    query_id = str(params.get("callback_query_id", ""))
    for phone in telegram.phones.values():
        if query_id in phone.taps_unanswered:
            phone.taps_unanswered.remove(query_id)
            phone.toasts.append(str(params.get("text", "")))
            telegram.record.touch()
            return True
    raise bad("query is too old and response timeout expired or query ID is invalid")


async def set_webhook(telegram: TelegramStandIn, params: Params) -> Any:
    """Updates go to this address from now on; an empty one ends that."""
    url = str(params.get("url", ""))
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    telegram.webhook = url
    telegram.secret = str(params.get("secret_token", telegram.secret))
    _allow(telegram, params)
    if params.get("drop_pending_updates") in (True, "true", "True"):
        for number in list(telegram.lanes.parcels):
            telegram.lanes.drop(number)
    telegram.lanes.hurry()
    return True


async def delete_webhook(telegram: TelegramStandIn, params: Params) -> Any:
    """Back to getUpdates."""
    return await set_webhook(telegram, {**params, "url": "", "secret_token": telegram.secret})


async def get_webhook_info(telegram: TelegramStandIn, params: Params) -> Any:
    """Where updates go and how many wait."""
    info = {
        "url": telegram.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(telegram.lanes.parcels),
        "max_connections": 40,
        "allowed_updates": telegram.allowed_updates,
    }
    if telegram.last_error:
        info |= {"last_error_message": telegram.last_error, "last_error_date": int(telegram.record.clock())}
    return info


def _allow(telegram: TelegramStandIn, params: Params) -> None:
    """An absent list leaves the previous one."""
    if isinstance(params.get("allowed_updates"), list):
        telegram.allowed_updates = params["allowed_updates"]


async def get_updates(telegram: TelegramStandIn, params: Params) -> Any:
    """Updates from `offset` on, confirming those before it; waits up to `timeout` seconds for the first."""
    if telegram.webhook:
        raise Refusal(
            409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
        )
    _allow(telegram, params)
    offset, limit = int(params.get("offset", 0) or 0), int(params.get("limit", 100) or 100)
    for number in [number for number in telegram.lanes.parcels if number < offset]:
        telegram.lanes.drop(number)
    await _wait_for_updates(telegram, min(float(params.get("timeout", 0) or 0), LONGEST_POLL))
    waiting = sorted(telegram.lanes.parcels)
    chosen = waiting[offset:] if offset < 0 else waiting
    for number in set(waiting) - set(chosen):
        telegram.lanes.drop(number)
    return [telegram.lanes.parcels[number].payload for number in chosen[: max(1, min(limit, 100))]]


async def _wait_for_updates(telegram: TelegramStandIn, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not telegram.lanes.parcels:
                telegram.arrived.clear()
                await telegram.arrived.wait()
    except TimeoutError:
        return


async def send_chat_action(telegram: TelegramStandIn, params: Params) -> Any:
    """ "typing" and the like, shown on the phone for a moment."""
    phone = phone_of(telegram, params)
    if not params.get("action"):
        raise bad("wrong parameter action in request")
    telegram.happened("typing", str(phone.chat_id), action=params["action"])
    return True


async def set_my_commands(telegram: TelegramStandIn, params: Params) -> Any:
    """The menu of commands."""
    commands = params.get("commands")
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("can't parse BotCommand list")
    telegram.commands = commands
    return True


async def get_file(telegram: TelegramStandIn, params: Params) -> Any:
    """Where a file can be fetched."""
    file_id = str(params.get("file_id", ""))
    if file_id not in telegram.files:
        raise bad("wrong file_id or the file is temporarily unavailable")
    return {**telegram_file(telegram, file_id, telegram.files[file_id]), "file_path": f"files/{file_id}"}


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendPhoto": sending("photo", ("photo",)),
    "sendDocument": sending("document", ("document",)),
    "sendVoice": sending("voice", ("voice",)),
    "sendLocation": sending("location", ("latitude", "longitude")),
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getUpdates": get_updates,
    "sendChatAction": send_chat_action,
    "setMyCommands": set_my_commands,
    "getFile": get_file,
}
