"""What Viber refuses: sizes, missing fields, keyboards out of bounds; each as (status, message).

The real server lets many faulty keyboards pass and fails on the phone later; here they are refused at once,
so that a fault of ours is seen where it is made.
"""

from __future__ import annotations

import html
import re
from typing import Any, Literal

from sandbox.screen import Button

TEXT_LIMIT, REQUEST_LIMIT, TRACKING_LIMIT = 7000, 30_000, 4096  # characters, bytes, characters
BUTTON_TEXT_LIMIT, SENDER_LIMIT, PICTURE_TEXT_LIMIT = 250, 28, 768
COLUMNS, ROWS = 6, 2
ACTIONS = {"reply", "open-url", "share-phone", "location-picker", "none", "open-map"}
KINDS: dict[str, Literal["contact", "location"]] = {"share-phone": "contact", "location-picker": "location"}
TAG = re.compile(r"</?(b|i|u|s|br|font|em|strong)(\s[^>]*)?/?>")
NEEDS = {
    "text": ("text",),
    "picture": ("media",),
    "video": ("media", "size"),
    "file": ("media", "size", "file_name"),
    "url": ("media",),
    "location": ("location",),
    "contact": ("contact",),
    "sticker": ("sticker_id",),
    "rich_media": ("rich_media",),
}


class Refusal(Exception):
    """Viber's no: a status and a sentence, in a 200 answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad(message: str) -> Refusal:
    """badData."""
    return Refusal(3, message)


def check_message(body: dict[str, Any], size: int) -> list[list[Button]]:
    """Raise Refusal for a message Viber would not take; returns the rows of its keyboard."""
    if size > REQUEST_LIMIT:
        raise bad("request is larger than 30kb")
    kind = body.get("type")
    if kind is not None or "keyboard" not in body:
        _check_content(body, str(kind))
    sender = body.get("sender")
    if not isinstance(sender, dict) or not sender.get("name"):
        raise Refusal(4, "missing sender.name")
    if len(str(sender["name"])) > SENDER_LIMIT:
        raise bad("sender.name is too long")
    if len(str(body.get("tracking_data", ""))) > TRACKING_LIMIT:
        raise bad("tracking_data is too long")
    return parsed_keyboard(body.get("keyboard"), int(body.get("min_api_version", 1)))


def _check_content(body: dict[str, Any], kind: str) -> None:
    if kind not in NEEDS:
        raise bad(f"unknown message type {kind}")
    for name in NEEDS[kind]:
        if body.get(name) in (None, ""):
            raise Refusal(4, f"missing {name}")
    limit = TEXT_LIMIT if kind == "text" else PICTURE_TEXT_LIMIT
    if len(str(body.get("text", ""))) > limit:
        raise bad("text is too long")


def parsed_keyboard(keyboard: Any, min_api_version: int) -> list[list[Button]]:
    """Rows of buttons, filled from left to right by their Columns."""
    if keyboard is None:
        return []
    if not isinstance(keyboard, dict) or keyboard.get("Type") != "keyboard":
        raise bad("keyboard.Type must be keyboard")
    buttons = keyboard.get("Buttons")
    if not isinstance(buttons, list) or not buttons:
        raise bad("keyboard.Buttons must not be empty")
    rows: list[list[Button]] = [[]]
    used = 0
    for button in buttons:
        columns = _whole(button, "Columns", COLUMNS)
        _whole(button, "Rows", ROWS, default=1)
        if used + columns > COLUMNS:
            rows.append([])
            used = 0
        used += columns
        rows[-1].append(_parsed(button, min_api_version))
    return rows


def _whole(button: dict[str, Any], name: str, highest: int, default: int | None = None) -> int:
    value = button.get(name, default or highest)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= highest:
        raise bad(f"{name} must be from 1 to {highest}")
    return value


def _parsed(button: dict[str, Any], min_api_version: int) -> Button:
    label, action = str(button.get("Text", "")), str(button.get("ActionType", "reply"))
    if len(label) > BUTTON_TEXT_LIMIT:
        raise bad("Text of a button is too long")
    if action not in ACTIONS:
        raise bad(f"unknown ActionType {action}")
    if action != "none" and not button.get("ActionBody"):
        raise Refusal(4, "missing ActionBody")
    if action in ("share-phone", "location-picker") and min_api_version < 3:
        raise bad(f"{action} needs min_api_version 3")
    body = str(button.get("ActionBody", ""))
    if action == "open-url":
        return Button(plain(label), url=body, kind="link")
    return Button(plain(label), data="" if action == "none" else body, kind=KINDS.get(action, "tap"))


def plain(label: str) -> str:
    """A label without the few HTML tags that Viber renders."""
    return html.unescape(TAG.sub("", label))
