"""A message's buttons as a Viber keyboard: six columns, labels in a few HTML tags that must be escaped."""

from __future__ import annotations

import html
from typing import Any

from bot.channels.base import Outgoing
from bot.channels.rows import paired
from bot.channels.shape import is_greek

COLUMNS = 6
PLACE = ("Στείλτε τη θέση σας", "Send your location")
NUMBER = ("Στείλτε τον αριθμό σας", "Share your number")


def keyboard(message: Outgoing, *, plain: bool = False) -> dict[str, Any] | None:
    """The keyboard, None without buttons. `plain`: for an old Viber that cannot share place or number."""
    tongue = 0 if is_greek(message.text) else 1
    buttons = []
    if message.location and not plain:
        buttons.append(_button(PLACE[tongue], "place", COLUMNS, "location-picker"))
    if message.phone and not plain:
        buttons.append(_button(NUMBER[tongue], "number", COLUMNS, "share-phone"))
    for row in paired(message.buttons):
        buttons += [_button(one.label, one.value, COLUMNS // len(row), "reply") for one in row]
    if not buttons:
        return None
    return {"Type": "keyboard", "DefaultHeight": False, "InputFieldState": "regular", "Buttons": buttons}


def _button(label: str, body: str, columns: int, action: str) -> dict[str, Any]:
    return {
        "Columns": columns,
        "Rows": 1,
        "ActionType": action,
        "ActionBody": body,
        "Text": html.escape(label),
        "TextSize": "regular",
    }
