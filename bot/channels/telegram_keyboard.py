"""A message's buttons as Telegram's keyboards.

A message has either an inline keyboard or a reply keyboard. Choices are inline: they come back as the
token, whatever is written on them. Only where the channel's own "send my place" or "share my number" is
offered, everything stands on one reply keyboard, and a choice comes back as its label, which a question
takes as well as a tap. One message, so that there is never half of it.
"""

from __future__ import annotations

from typing import Any

from bot.channels.base import Outgoing
from bot.channels.rows import paired
from bot.channels.shape import is_greek

Markup = dict[str, Any]
"""InlineKeyboardMarkup, ReplyKeyboardMarkup or ReplyKeyboardRemove of the Bot API, as its JSON has them."""
PLACE = ("Στείλτε τη θέση σας", "Send your location")
NUMBER = ("Στείλτε τον αριθμό σας", "Share your number")


def keyboard(message: Outgoing) -> Markup:
    """The keyboard of a message. Without buttons, an old reply keyboard is taken away: its answers belong
    to an earlier question."""
    if message.location or message.phone:
        return _reply(message)
    if not message.buttons:
        return {"remove_keyboard": True}
    rows = paired(message.buttons)
    return {
        "inline_keyboard": [[{"text": one.label, "callback_data": one.value} for one in row] for row in rows]
    }


def _reply(message: Outgoing) -> Markup:
    tongue = 0 if is_greek(message.text) else 1
    own: list[list[Markup]] = []
    if message.location:
        own.append([{"text": PLACE[tongue], "request_location": True}])
    if message.phone:
        own.append([{"text": NUMBER[tongue], "request_contact": True}])
    choices = [[{"text": button.label} for button in row] for row in paired(message.buttons)]
    return {"keyboard": [*own, *choices], "resize_keyboard": True, "one_time_keyboard": True}
