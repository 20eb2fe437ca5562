"""What the Bot API refuses: texts and keyboards outside its limits, markup that does not parse."""

from __future__ import annotations

import html
import re
from typing import Any

from sandbox.screen import Button

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024  # characters after the markup was parsed
DATA_LIMIT = 64  # bytes of callback_data
ROW_LIMIT, KEYBOARD_LIMIT = 8, 100  # buttons
TAG = re.compile(r"<(/?)([a-z-]+)[^>]*>")


class Refusal(Exception):
    """The Bot API's no: an HTTP status, a sentence, and sometimes parameters such as retry_after."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}


def bad(description: str) -> Refusal:
    """A 400 with the usual beginning."""
    return Refusal(400, f"Bad Request: {description}")


def parsed_text(params: dict[str, Any], name: str = "text", limit: int = TEXT_LIMIT) -> str:
    """The text as a phone shows it; raises Refusal when empty, too long or wrongly marked up."""
    text = str(params.get(name, ""))
    if str(params.get("parse_mode", "")).upper() == "HTML":
        text = _without_tags(text)
    if not text.strip() and name == "text":
        raise bad("message text is empty")
    if len(text) > limit:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return text


def _without_tags(text: str) -> str:
    opened: list[str] = []
    for closing, tag in TAG.findall(text):
        if not closing:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            raise bad(f"can't parse entities: unmatched end tag {tag}")
    if opened or "<" in TAG.sub("", text):
        raise bad("can't parse entities: can't find the end of a tag")
    return html.unescape(TAG.sub("", text))


def parsed_markup(markup: Any) -> list[list[Button]]:
    """The rows of an inline or a reply keyboard; raises Refusal for what the real server refuses."""
    if not isinstance(markup, dict):
        return []
    inline = "inline_keyboard" in markup
    rows = markup.get("inline_keyboard", markup.get("keyboard", []))
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("object expected as reply markup")
    if sum(map(len, rows)) > KEYBOARD_LIMIT or any(len(row) > ROW_LIMIT for row in rows):
        raise bad("reply markup is too long")
    return [[_inline(button) if inline else _reply(button) for button in row] for row in rows if row]


def _inline(button: dict[str, Any]) -> Button:
    label = str(button.get("text", ""))
    if not label:
        raise bad("can't parse inline keyboard button: text must be non-empty")
    if "url" in button:
        if not re.match(r"(https?|tg|tel|mailto):", str(button["url"])):
            raise bad("inline keyboard button URL is invalid")
        return Button(label, url=str(button["url"]), kind="link")
    data = button.get("callback_data")
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= DATA_LIMIT:
        raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return Button(label, data=data)


def _reply(button: Any) -> Button:
    if isinstance(button, str):
        return Button(button, data=button, kind="text")
    label = str(button.get("text", ""))
    if not label:
        raise bad("can't parse keyboard button: text must be non-empty")
    if button.get("request_contact"):
        return Button(label, kind="contact")
    if button.get("request_location"):
        return Button(label, kind="location")
    return Button(label, data=label, kind="text")
