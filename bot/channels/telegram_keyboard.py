"""A message's buttons as Telegram's keyboards.

A message has either an inline keyboard or a reply keyboard. Choices are inline: they come back as the
token, whatever is written on them. Only where the channel's own "send my place" or "share my number" is
offered, everything stands on one reply keyboard, and a choice comes back as its label, which a question
takes as well as a tap. One message, so that there is never half of it.
"""

from __future__ import annotations

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.channels.base import Outgoing
from bot.channels.rows import paired
from bot.channels.shape import is_greek

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove
PLACE = ("Στείλτε τη θέση σας", "Send your location")
NUMBER = ("Στείλτε τον αριθμό σας", "Share your number")


def keyboard(message: Outgoing) -> Markup:
    """The keyboard of a message. Without buttons, an old reply keyboard is taken away: its answers belong
    to an earlier question."""
    if message.location or message.phone:
        return _reply(message)
    if not message.buttons:
        return ReplyKeyboardRemove()
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(button.label, callback_data=button.value) for button in row]
            for row in paired(message.buttons)
        ]
    )


def _reply(message: Outgoing) -> ReplyKeyboardMarkup:
    tongue = 0 if is_greek(message.text) else 1
    own = []
    if message.location:
        own.append([KeyboardButton(PLACE[tongue], request_location=True)])
    if message.phone:
        own.append([KeyboardButton(NUMBER[tongue], request_contact=True)])
    choices = [[KeyboardButton(button.label) for button in row] for row in paired(message.buttons)]
    return ReplyKeyboardMarkup([*own, *choices], resize_keyboard=True, one_time_keyboard=True)
