"""What a Viber callback means to us. Never raises, whatever the body is.

Viber tries for an hour at most and keeps nothing for later, so a body that we do not understand is kept
rather than refused. The signature has no time in it: only the keys made here keep a replay harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.channels import shape
from bot.channels.shape import Odd, dig
from bot.incoming import Arrival, Incoming, Left, Receipt
from flows.session import StimulusKind

NAME = "viber"
RECEIPTS = ("delivered", "seen", "failed")
_FILES = {"picture": "photo", "video": "video", "file": "document", "sticker": "sticker"}


def understand(raw: bytes) -> Arrival | None:
    """The meaning of a callback; None = nothing to keep."""
    try:
        return _callback(shape.parsed(raw), raw)
    except Odd as odd:
        return shape.strange(NAME, raw, odd.why)


def _callback(callback: dict[str, Any], raw: bytes) -> Arrival | None:
    event = callback.get("event")
    match event:
        case "webhook":
            return None  # Viber asks whether we are there
        case "message":
            return _message(callback, raw)
        case "conversation_started" | "subscribed":
            return _opened(callback, raw)
        case "unsubscribed":
            return Left(NAME, _id(callback.get("user_id")))
        case "delivered" | "seen" | "failed":
            return _receipt(callback, event)
    raise Odd("unknown event")


def _opened(callback: dict[str, Any], raw: bytes) -> Incoming:
    user = callback.get("user")
    return _incoming(user, _key(callback, raw, f"{callback['event']}:"), StimulusKind.opened)


def _receipt(callback: dict[str, Any], outcome: str) -> Receipt:
    token = shape.number(callback.get("message_token"))
    if token is None:
        raise Odd("a receipt without a token")
    return Receipt(NAME, str(token), outcome, why=shape.text(callback.get("desc"), 200) or None)


def _message(callback: dict[str, Any], raw: bytes) -> Incoming:
    message, key = callback.get("message"), _key(callback, raw, "m")
    kind = dig(message, "type")
    known: dict[str, Callable[[Any], dict[str, Any]]] = {
        "text": _said,
        "url": _link,
        "location": _located,
        "contact": _contact,
        **dict.fromkeys(_FILES, _filed),
    }
    # A kind of message that we do not know yet: its words must be read all the same.
    content = known.get(kind if isinstance(kind, str) else "", _said)(message)
    return _incoming(callback.get("sender"), key, message_id=key.removeprefix("m"), **content)


def _said(message: Any) -> dict[str, Any]:
    """A tap on our keyboard comes as a text too: the token that we gave to the button."""
    text = shape.text(dig(message, "text"))
    if not text.strip():
        raise Odd("no words in the message")
    button = shape.button(text)
    if button is not None:
        return {"kind": StimulusKind.tapped, "button": button}
    return {"kind": StimulusKind.said, "text": text}


def _link(message: Any) -> dict[str, Any]:
    words = [shape.text(dig(message, name)) for name in ("text", "media")]
    return _said({"text": "\n".join(dict.fromkeys(word for word in words if word))})


def _located(message: Any) -> dict[str, Any]:
    point = shape.place(dig(message, "location", "lat"), dig(message, "location", "lon"))
    if point is None:
        raise Odd("no place in the location")
    return {"kind": StimulusKind.located, "place": point}


def _contact(message: Any) -> dict[str, Any]:
    """Viber does not say whose contact it is; the citizen sees the number again before anything is sent."""
    number = shape.phone(dig(message, "contact", "phone_number"))
    if not number:
        raise Odd("no number in the contact")
    return {"kind": StimulusKind.shared_phone, "text": number}


def _filed(message: Any) -> dict[str, Any]:
    file_id = shape.text(dig(message, "media"), 2000) or _digits(dig(message, "sticker_id"))
    return {
        "kind": StimulusKind.filed,
        "text": shape.text(dig(message, "text")),
        "file_kind": _FILES[message["type"]],
        "file_id": file_id or None,
    }


def _incoming(user: Any, key: str, kind: StimulusKind, **more: Any) -> Incoming:
    return Incoming(
        NAME,
        key,
        _id(dig(user, "id")),
        kind,
        name=shape.text(dig(user, "name"), 100).strip() or None,
        language=shape.language(dig(user, "language")),
        **more,
    )


def _key(callback: dict[str, Any], raw: bytes, prefix: str) -> str:
    """Repeats of a callback carry the same token."""
    token = shape.number(callback.get("message_token"))
    return shape.fingerprint(raw) if token is None else f"{prefix}{token}"


def _id(value: Any) -> str:
    found = shape.text(value, 200)
    if not found:
        raise Odd("nobody's id")
    return found


def _digits(value: Any) -> str:
    number = shape.number(value)
    return "" if number is None else str(number)
