"""What a Telegram Update means to us. Never raises, whatever the body is.

Telegram sends the updates of one chat strictly one after the other: one that we answered with an error
would keep a citizen's later messages away for a day. Plain dictionaries, not PTB's classes: those raise
on a shape that they do not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.channels import shape
from bot.channels.shape import Odd, dig
from bot.incoming import Arrival, Incoming, Left
from flows.session import StimulusKind

NAME = "telegram"
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
_START = re.compile(r"/start(@\w+)?(\s+[\w-]{1,64})?\s*", re.ASCII)
# Where the Bot API puts a file, and what we call it. The first that is there counts: an animation comes
# with a document beside it.
_FILES = {
    "photo": "photo",
    "live_photo": "photo",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "sticker",
    "document": "document",
}


@dataclass(frozen=True, slots=True)
class Update:
    """One update, understood: `arrival` None = nothing to keep; `tap` = the query to answer."""

    arrival: Arrival | None
    tap: str | None = None


def understand(raw: bytes) -> Update:
    """The meaning of a webhook body."""
    try:
        update = shape.parsed(raw)
    except Odd as odd:
        return Update(shape.strange(NAME, raw, odd.why))
    number = shape.number(update.get("update_id"))
    key = shape.fingerprint(raw) if number is None else f"u{number}"
    try:
        return _update(update, key)
    except Odd as odd:
        return Update(shape.strange(NAME, raw, odd.why, key))


def _update(update: dict[str, Any], key: str) -> Update:
    kind = next((name for name in KINDS if isinstance(update.get(name), dict)), None)
    match kind:
        case "message":
            return Update(_message(update["message"], key))
        case "edited_message":
            return Update(_edited(update["edited_message"], key))
        case "callback_query":
            return _tap(update["callback_query"], key)
        case "my_chat_member":
            return Update(_membership(update["my_chat_member"]))
    raise Odd("unknown kind of update")


def _message(message: dict[str, Any], key: str) -> Incoming:
    text = shape.text(message.get("text"))
    if _START.fullmatch(text):
        return _incoming(message, key, StimulusKind.opened)
    if text:
        return _incoming(message, key, StimulusKind.said, text=text)
    if "location" in message:
        return _located(message, key)
    if isinstance(message.get("contact"), dict):
        return _contact(message, key)
    return _filed(message, key)


def _located(message: dict[str, Any], key: str) -> Incoming:
    where = message["location"]
    place = shape.place(dig(where, "latitude"), dig(where, "longitude"))
    if place is None:
        raise Odd("no place in the location")
    name = shape.text(dig(message, "venue", "title"))
    return _incoming(message, key, StimulusKind.located, text=name, place=place)


def _contact(message: dict[str, Any], key: str) -> Incoming:
    """Only one's own contact is a shared number; another person's is as if it had been typed."""
    contact = message["contact"]
    number = shape.phone(contact.get("phone_number"))
    if not number:
        raise Odd("no number in the contact")
    owner, sender = shape.number(contact.get("user_id")), shape.number(dig(message, "from", "id"))
    own = owner is not None and owner == sender
    return _incoming(message, key, StimulusKind.shared_phone if own else StimulusKind.said, text=number)


def _filed(message: dict[str, Any], key: str) -> Incoming:
    caption = shape.text(message.get("caption"))
    for name, file_kind in _FILES.items():
        if name in message:
            file_id = _file_id(message[name])
            return _incoming(
                message, key, StimulusKind.filed, text=caption, file_kind=file_kind, file_id=file_id
            )
    if caption:  # a kind of message that we do not know yet: its words must be read all the same
        return _incoming(message, key, StimulusKind.said, text=caption)
    raise Odd("unknown kind of message")


def _file_id(file: Any) -> str | None:
    """Of a photo's sizes the last is the largest."""
    if isinstance(file, list):
        file = file[-1] if file else None
    return shape.text(dig(file, "file_id"), 500) or None


def _edited(message: dict[str, Any], key: str) -> Incoming:
    text = shape.text(message.get("text")) or shape.text(message.get("caption"))
    if not text:  # a live location moves by edits, every few seconds
        raise Odd("an edit without words")
    return _incoming(message, key, StimulusKind.edited, text=text)


def _tap(query: dict[str, Any], key: str) -> Update:
    message = query.get("message") if isinstance(query.get("message"), dict) else {}
    sender = shape.number(dig(query, "from", "id"))
    chat = shape.number(dig(message, "chat", "id"))
    if sender is None or chat not in (None, sender):
        raise Odd("a tap outside a private chat")
    incoming = Incoming(
        NAME,
        key,
        str(sender),
        StimulusKind.tapped,
        button=shape.button(query.get("data")),
        message_id=_message_id(message),
        name=_name(query),
        language=shape.language(dig(query, "from", "language_code")),
    )
    return Update(incoming, shape.text(query.get("id"), 100) or None)


def _membership(change: dict[str, Any]) -> Left | None:
    """Unblocking needs no note: whoever writes is reachable again."""
    address = _address(change)
    return Left(NAME, address) if dig(change, "new_chat_member", "status") == "kicked" else None


def _incoming(message: dict[str, Any], key: str, kind: StimulusKind, **more: Any) -> Incoming:
    return Incoming(
        NAME,
        key,
        _address(message),
        kind,
        message_id=_message_id(message),
        name=_name(message),
        language=shape.language(dig(message, "from", "language_code")),
        **more,
    )


def _address(message: dict[str, Any]) -> str:
    chat = shape.number(dig(message, "chat", "id"))
    if chat is None or dig(message, "chat", "type") != "private":
        raise Odd("not a private chat")
    return str(chat)


def _message_id(message: Any) -> str | None:
    number = shape.number(dig(message, "message_id"))
    return None if number is None else str(number)


def _name(message: dict[str, Any]) -> str | None:
    return shape.text(dig(message, "from", "first_name"), 100).strip() or None
