"""The bodies that Telegram sends for what a citizen does, with all that a real one carries."""

from __future__ import annotations

import itertools
import time
from typing import Any

import orjson

from bench.httpclient import request_head

TOKEN = "100001:bench"
SECRET = "bench-secret"
PATH = "/webhooks/telegram"
HEAD = request_head(PATH, X_Telegram_Bot_Api_Secret_Token=SECRET)
_numbers = itertools.count(time.time_ns() // 1000)
_BOT = {"id": 100001, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}


def said(citizen: int, text: str) -> bytes:
    """A text message."""
    number = next(_numbers)
    message = {
        "message_id": number % 1_000_000,
        "from": _person(citizen),
        "chat": _chat(citizen),
        "date": int(time.time()),
        "text": text,
    }
    return orjson.dumps({"update_id": number, "message": message})


def tapped(citizen: int, data: str, text: str, markup: Any) -> bytes:
    """A tap on an inline button under a message with this text."""
    number = next(_numbers)
    message = {
        "message_id": number % 1_000_000,
        "from": _BOT,
        "chat": _chat(citizen),
        "date": int(time.time()),
        "text": text,
        "reply_markup": markup,
    }
    query = {
        "id": str(number),
        "from": _person(citizen),
        "message": message,
        "chat_instance": str(citizen),
        "data": data,
    }
    return orjson.dumps({"update_id": number, "callback_query": query})


def _person(citizen: int) -> dict[str, Any]:
    return {"id": citizen, "is_bot": False, "first_name": "Maria", "language_code": "el"}


def _chat(citizen: int) -> dict[str, Any]:
    return {"id": citizen, "first_name": "Maria", "type": "private"}
