"""Careful hands for JSON of strangers: each function takes anything and returns a sound value or nothing."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from bot.incoming import NotUnderstood

_BUTTON = re.compile(r"~(?:[0-7][0-9a-z]{12}|[0-9a-z]{1,12})\.[0-9]{1,2}", re.ASCII)  # fits 64 bits
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=$|[-_])")
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
MOST_TEXT = 100_000  # characters; no provider sends as many
_KEPT = 64 * 1024  # characters of a strange body that are kept for a human to look at


class Odd(Exception):
    """A body that has another shape than we know. `why` is ours, never a piece of the body."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Odd for anything else."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):  # ValueError: bad UTF-8 and absurd numbers as well
        raise Odd("not JSON") from None
    if not isinstance(value, dict):
        raise Odd("not a JSON object")
    return value


def dig(value: Any, *path: str) -> Any:
    """What lies at the path of names, None where it ends early."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any, most: int = MOST_TEXT) -> str:
    """A string that every database and every JSON takes: no half surrogates, no NUL; "" for no string."""
    if not isinstance(value, str):
        return ""
    whole = value[:most].replace("\0", "")
    try:
        whole.encode()
    except UnicodeEncodeError:
        return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole


def number(value: Any) -> int | None:
    """An integer of 64 bits; a string of digits counts (Viber writes its tokens either way)."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if whole else None


def place(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """A point on the globe."""
    numbers = [v for v in (latitude, longitude) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != 2 or not all(abs(v) <= 180 and math.isfinite(v) for v in numbers):
        return None
    return (float(numbers[0]), float(numbers[1])) if abs(numbers[0]) <= 90 else None


def button(value: Any) -> str | None:
    """A token that the outbox may have given to a button; None for anything else, forged ones included."""
    return value if isinstance(value, str) and _BUTTON.fullmatch(value) else None


def language(value: Any) -> str | None:
    """The two or three letters of a language tag."""
    found = _LANGUAGE.match(value) if isinstance(value, str) else None
    return found[0].lower() if found else None


def phone(value: Any) -> str:
    """A shared number with its plus sign, "" if there is none."""
    digits = re.sub(r"[^0-9+]", "", text(value, 40), flags=re.ASCII)
    return digits if not digits or digits.startswith(("+", "00")) else f"+{digits}"


def fingerprint(raw: bytes) -> str:
    """A key for a body that brings none."""
    return f"x{hashlib.sha256(raw).hexdigest()[:40]}"


def strange(channel: str, raw: bytes, why: str, key: str | None = None) -> NotUnderstood:
    """The body as it is kept when nobody understands it."""
    words = raw.decode("utf-8", "replace")[:_KEPT]
    return NotUnderstood(channel, key or fingerprint(raw), words, why)


def is_greek(words: str) -> bool:
    """Whether words of ours are Greek: the labels of a channel's own buttons follow them."""
    return _GREEK.search(words) is not None
