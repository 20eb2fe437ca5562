"""Our food_aid flow as one would write it with python-telegram-bot: a ConversationHandler, in memory.

The same questions, buttons, checks and texts (they are read from our own flow's message files). Whoever
knows PTB would write it so: one function a question, `context.user_data` for the answers. (PTB's types say of
nearly everything that it may be None; Any spares the flow thirty assertions.)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ConversationHandler,
    MessageHandler,
    filters,
)

FLOWS = Path(__file__).parent.parent.parent / "flows" / "library"
FOOD = re.compile(r"τρόφιμα|τροφιμα|φαγητ|trofima|food", re.IGNORECASE)
ENGLISH = re.compile(r"\b(i|we|food|help|thanks?)\b", re.IGNORECASE)
SKIP = re.compile(r"παράλειψη|παραλειψη|paraleipsi|skip", re.IGNORECASE)
PHONE = re.compile(r"(\+30)?\s?[26]\d{9}")
WORDS = {"tesseris": 4, "dio": 2, "τέσσερις": 4, "δύο": 2, "four": 4, "two": 2, "κανένα": 0}
TODAY, PEOPLE, CHILDREN, INCOME, WHERE, PHONE_STATE, NOTE, SUMMARY = range(8)
ORDER = ("today", "people", "children", "income", "where", "phone", "note")


def _texts(flow: str) -> dict[str, Any]:
    return {tongue: yaml.safe_load((FLOWS / flow / f"{tongue}.yaml").read_text()) for tongue in ("el", "en")}


TEXTS, COMMON = _texts("food_aid"), _texts("common")
PROGRESS = {"el": "Ερώτηση {} από 7", "en": "Question {} of 7"}
TOWN = {"el": "Δήμος Ηρακλείου Κρήτης", "en": "Municipality of Heraklion, Crete"}


def _text(context: Any, key: str) -> str:
    tongue = context.user_data["tongue"]
    entry = TEXTS[tongue][key]
    words = entry if isinstance(entry, str) else entry.get("text", entry.get("unsure"))
    if key in ORDER:
        words = words.replace("{progress}", PROGRESS[tongue].format(ORDER.index(key) + 1))
    return (
        str(words).replace("{fact:directorate.phone}", "2813 409112").replace("{fact:hotline.shelter}", "197")
    )


def _human(context: Any) -> str:
    return str(COMMON[context.user_data["tongue"]]["human"])


def _options(context: Any, key: str) -> dict[str, str]:
    options = TEXTS[context.user_data["tongue"]][key]["options"]
    return {name: option["label"] for name, option in options.items()}


def _inline(context: Any, key: str) -> InlineKeyboardMarkup:
    labels = [*_options(context, key).items(), ("human", _human(context))]
    buttons = [InlineKeyboardButton(label, callback_data=f"{key}:{name}") for name, label in labels]
    return InlineKeyboardMarkup([buttons[at : at + 2] for at in range(0, len(buttons), 2)])


def _only_human(context: Any, key: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(_human(context), callback_data=f"{key}:human")]])


async def _say(update: Any, text: str, markup: Any = None) -> None:
    await update.effective_chat.send_message(
        text, reply_markup=markup or ReplyKeyboardRemove(), disable_web_page_preview=True
    )


async def _ask(update: Any, context: Any, key: str) -> None:
    markup = _inline(context, key) if "options" in TEXTS["el"][key] else _only_human(context, key)
    await _say(update, _text(context, key), markup)


async def begin(update: Any, context: Any) -> int:
    """The first words: who we are, what comes, the first question."""
    context.user_data["tongue"] = "en" if ENGLISH.search(update.message.text) else "el"
    tongue = context.user_data["tongue"]
    if "met" not in context.user_data:
        context.user_data["met"] = True
        hello = COMMON[tongue]["hello"]["text"]
        hello = hello.replace("{fact:town.municipality}", TOWN[tongue]).replace(
            "{fact:town.bot_name}", "Limani"
        )
        await _say(update, hello)
    context.user_data["answers"] = {}
    await _say(update, _text(context, "intro"))
    await _ask(update, context, "today")
    return TODAY


async def _tapped(update: Any, context: Any) -> str:
    query = update.callback_query
    await query.answer()
    key, _, name = query.data.partition(":")
    context.user_data["answers"][key] = _options(context, key).get(name, name)
    return str(name)


def _typed_option(context: Any, key: str, text: str) -> str | None:
    wanted = text.casefold().strip()
    for name, option in TEXTS[context.user_data["tongue"]][key]["options"].items():
        if wanted in (option["label"].casefold(), *option.get("also", ())) or _latin(key, name, wanted):
            context.user_data["answers"][key] = option["label"]
            return str(name)
    return None


def _latin(key: str, name: str, wanted: str) -> bool:
    known = {
        "today:little": ("ligo", "λιγο"),
        "income:unsaid": ("den thelo na po",),
        "summary:send": ("steilte to", "send it"),
    }
    return wanted in known.get(f"{key}:{name}", ())


async def today(update: Any, context: Any) -> int:
    """Is there food?"""
    name = await _tapped(update, context) if update.callback_query else None
    name = name or _typed_option(context, "today", update.message.text)
    if name is None:
        await _say(update, COMMON[context.user_data["tongue"]]["not_understood"])
        await _ask(update, context, "today")
        return TODAY
    if name == "nothing":
        await _say(update, _text(context, "urgent"))
    await _ask(update, context, "people")
    return PEOPLE


def _count(text: str, least: int, most: int) -> int | None:
    word = text.strip().casefold()
    number = int(word) if word.isascii() and word.isdigit() else WORDS.get(word)
    return number if number is not None and least <= number <= most else None


async def _counted(
    update: Any, context: Any, key: str, least: int, most: int, following: str, state: int
) -> int:
    number = _count(update.message.text, least, most)
    if number is None:
        await _say(update, TEXTS[context.user_data["tongue"]][key]["invalid"], _only_human(context, key))
        return state
    context.user_data["answers"][key] = str(number)
    await _ask(update, context, following)
    return state + 1


async def people(update: Any, context: Any) -> int:
    """How many live there?"""
    return await _counted(update, context, "people", 1, 20, "children", PEOPLE)


async def children(update: Any, context: Any) -> int:
    """How many of them are children?"""
    return await _counted(update, context, "children", 0, 15, "income", CHILDREN)


async def income(update: Any, context: Any) -> int:
    """What do they live on?"""
    if update.callback_query:
        await _tapped(update, context)
    elif _typed_option(context, "income", update.message.text) is None:
        await _say(update, COMMON[context.user_data["tongue"]]["not_understood"])
        await _ask(update, context, "income")
        return INCOME
    keyboard = [[KeyboardButton("Location", request_location=True)], [KeyboardButton(_human(context))]]
    await _say(update, _text(context, "where"), ReplyKeyboardMarkup(keyboard, one_time_keyboard=True))
    return WHERE


async def where(update: Any, context: Any) -> int:
    """Where?"""
    place = update.message.text.strip()
    if not any(letter.isalpha() for letter in place):
        await _say(update, TEXTS[context.user_data["tongue"]]["where"]["invalid"])
        return WHERE
    context.user_data["answers"]["where"] = place
    keyboard = [
        [KeyboardButton("Number", request_contact=True)],
        [KeyboardButton(COMMON[context.user_data["tongue"]]["skip"]), KeyboardButton(_human(context))],
    ]
    await _say(update, _text(context, "phone"), ReplyKeyboardMarkup(keyboard, one_time_keyboard=True))
    return PHONE_STATE


def _skip_keyboard(context: Any) -> InlineKeyboardMarkup:
    skip = InlineKeyboardButton(COMMON[context.user_data["tongue"]]["skip"], callback_data="note:skip")
    return InlineKeyboardMarkup([[skip, InlineKeyboardButton(_human(context), callback_data="note:human")]])


async def phone(update: Any, context: Any) -> int:
    """Which number?"""
    text = update.message.text.strip()
    if not SKIP.fullmatch(text):
        if not PHONE.fullmatch(text):
            await _say(update, COMMON[context.user_data["tongue"]]["invalid_phone"])
            return PHONE_STATE
        context.user_data["answers"]["phone"] = f"+30{text[-10:]}"
    await _say(update, _text(context, "note"), _skip_keyboard(context))
    return NOTE


def _summary(context: Any) -> str:
    texts = TEXTS[context.user_data["tongue"]]
    lines = [f"{texts[key]['short']}: {answer}" for key, answer in context.user_data["answers"].items()]
    return str(texts["summary"]["text"]).replace("{summary}", "\n".join(lines))


async def note(update: Any, context: Any) -> int:
    """What else?"""
    text = update.message.text
    if not SKIP.fullmatch(text.strip()):
        context.user_data["answers"]["note"] = text
    await _say(update, _summary(context), _inline(context, "summary"))
    return SUMMARY


async def summary(update: Any, context: Any) -> int:
    """Is it right? Then it would be sent; here it stays in memory."""
    if update.callback_query:
        await _tapped(update, context)
    elif _typed_option(context, "summary", update.message.text) is None:
        await _say(update, COMMON[context.user_data["tongue"]]["not_understood"])
        await _say(update, _summary(context), _inline(context, "summary"))
        return SUMMARY
    tickets = context.bot_data.setdefault("tickets", [])
    tickets.append(dict(context.user_data["answers"]))
    await _say(update, _text(context, "done").replace("{ref}", f"HRK-{len(tickets):04}"))
    papers = TEXTS[context.user_data["tongue"]]["papers"]["unsure"]
    await _say(update, papers.replace("{fact:directorate.phone}", "2813 409112"))
    return ConversationHandler.END


async def anything(update: Any, context: Any) -> None:
    """Outside the form: a word of thanks, or something that nobody understands."""
    tongue = context.user_data.setdefault("tongue", "el")
    await _say(update, COMMON[tongue]["thanks"])


def add_handlers(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """The flow, and what lies beside it."""
    text = filters.TEXT & ~filters.COMMAND
    application.add_handler(
        ConversationHandler(
            entry_points=[MessageHandler(filters.Regex(FOOD), begin)],
            states={
                TODAY: [CallbackQueryHandler(today, "^today:"), MessageHandler(text, today)],
                PEOPLE: [MessageHandler(text, people)],
                CHILDREN: [MessageHandler(text, children)],
                INCOME: [CallbackQueryHandler(income, "^income:"), MessageHandler(text, income)],
                WHERE: [MessageHandler(text, where)],
                PHONE_STATE: [MessageHandler(text, phone)],
                NOTE: [MessageHandler(text, note)],
                SUMMARY: [CallbackQueryHandler(summary, "^summary:"), MessageHandler(text, summary)],
            },
            fallbacks=[],
        )
    )
    application.add_handler(MessageHandler(filters.ALL, anything))
