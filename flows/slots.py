"""Typed answers: what a citizen typed becomes a value, or None where it cannot be used.

Forgiving about form (number words, "650 ευρώ", "+30 69..."), strict about meaning. Values are plain
JSON, and texts stay the citizen's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flows.events import Answer
from flows.fold import plain, sound
from flows.numbers import number_word

MAX_LENGTH: Mapping[str, int] = {
    "text": 8000, "name": 80, "place": 300, "district": 60, "supply_number": 30, "phone": 40,
}  # fmt: skip
AGE_BANDS = ((0, 17), (18, 29), (30, 44), (45, 64), (65, 79), (80, 120))
_NUMBER = re.compile(r"(?<![\d.,])\d+(?:[.,]\d+)*")
_PLACE_PAIR = re.compile(r"^-?\d{1,2}\.\d+,-?\d{1,3}\.\d+$")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a question allows: for numbers their value, for texts their length."""

    min: float | None = None
    max: float | None = None
    today: date = date(2026, 1, 1)


def parse(kind: str, text: str, limits: Limits) -> Answer:
    """The value of a slot type, None where the text is no such answer. Never raises."""
    text = text.strip()
    if not text or len(text) > MAX_LENGTH.get(kind, 200):
        return None
    return _PARSERS[kind](text, limits)


def too_long(kind: str, text: str) -> bool:
    """True where length alone is what is wrong."""
    return len(text.strip()) > MAX_LENGTH.get(kind, 200)


def map_place(place: tuple[float, float]) -> str:
    """How a shared location is kept as an answer."""
    return f"{place[0]:.5f},{place[1]:.5f}"


def is_map_place(value: Answer) -> bool:
    """True for an answer that `map_place` made."""
    return isinstance(value, str) and bool(_PLACE_PAIR.match(value))


def _within(value: float, limits: Limits) -> bool:
    low = limits.min if limits.min is not None else 0
    return low <= value <= (limits.max if limits.max is not None else 10**7)


def _text(text: str, limits: Limits) -> Answer:
    low = int(limits.min or 2)
    return text if low <= len(text) <= int(limits.max or MAX_LENGTH["text"]) else None


def _name(text: str, _limits: Limits) -> Answer:
    return text if sum(c.isalpha() for c in text) >= 2 and not any(c.isdigit() for c in text) else None


def _place(text: str, _limits: Limits) -> Answer:
    return text if sum(c.isalnum() for c in text) >= 3 else None


def _district(text: str, _limits: Limits) -> Answer:
    return text if sum(c.isalpha() for c in text) >= 3 else None


def _amounts(text: str) -> list[float]:
    """Numbers in a text: 1.250,50 and 1,250.50 and 1250 alike."""
    return [_amount(found) for found in _NUMBER.findall(text)[:20]]


def _amount(digits: str) -> float:
    head, mark, tail = re.match(r"(.*?)(?:([.,])(\d{1,2}))?$", digits).groups()  # type: ignore[union-attr]
    whole = re.sub(r"[.,]", "", head)
    return float(f"{whole[:15]}.{tail or 0}" if mark else whole[:15])


def _count(text: str, limits: Limits) -> Answer:
    numbers = _amounts(text)
    if len(numbers) == 1:
        value = numbers[0]
    else:
        word = None if numbers else number_word(text)
        if word is None:
            return None
        value = float(word)
    return int(value) if value == int(value) and _within(value, limits) and "-" not in text else None


_NOTHING = frozenset(
    map(sound, ("τίποτα", "μηδέν", "κανένα", "καθόλου", "δεν έχω", "nothing", "none", "zero", "no income"))
)


def _money(text: str, limits: Limits) -> Answer:
    numbers = _amounts(text)
    if sound(text) in _NOTHING:
        return 0.0 if _within(0, limits) else None
    if len(numbers) == 1:
        value = numbers[0]
    else:
        word = None if numbers else number_word(text)
        if word is None:
            return None
        value = float(word)
    return value if _within(value, limits) and not text.startswith("-") else None


def _phone(text: str, _limits: Limits) -> Answer:
    """A number that can be rung, as +30...; other countries with their +."""
    import phonenumbers  # its tables take time to load, which a start should not wait for

    for match in phonenumbers.PhoneNumberMatcher(
        text, "GR", leniency=phonenumbers.Leniency.POSSIBLE, max_tries=20
    ):
        number = match.number
        if number.country_code != 30 or len(str(number.national_number)) == 10:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def _age_band(text: str, limits: Limits) -> Answer:
    bands = re.search(r"\b(\d{1,3})\s*[-–]\s*(\d{1,3})\b|\b(80)\s*\+", text)
    numbers = _amounts(text)
    word = None if numbers else number_word(text)
    age = float(bands.group(1) or bands.group(3)) if bands else numbers[0] if len(numbers) == 1 else word
    if age is None:
        return None
    for low, high in AGE_BANDS:
        if low <= age <= high:
            return f"{low}-{high}" if high < 120 else f"{low}+"
    return None


_DATE = re.compile(r"\b(\d{1,2})\s*[./-]\s*(\d{1,2})(?:\s*[./-]\s*(\d{4}|\d{2}))?\b")
_DAY_WORDS = {
    0: ("σήμερα", "today"),
    1: ("αύριο", "tomorrow", "ταχιά"),
    -1: ("χθες", "χτες", "yesterday", "οψές"),
}
_DAYS = {sound(word): days for days, words in _DAY_WORDS.items() for word in words}


def _date(text: str, limits: Limits) -> Answer:
    if sound(text) in _DAYS:
        return (limits.today + timedelta(days=_DAYS[sound(text)])).isoformat()
    found = _DATE.search(text)
    if not found:
        return None
    year = int(found.group(3) or limits.today.year)
    try:
        return date(year + 2000 if year < 100 else year, int(found.group(2)), int(found.group(1))).isoformat()
    except ValueError:
        return None


_TIME = re.compile(
    r"^(?:στισ|στη|at|sti|stis)?\s*(\d{1,2})(?:\s*[:. ]\s*(\d{2}))?\s*(pm|am|μμ|πμ|μ μ|π μ|mm)?$"
)


def _time(text: str, _limits: Limits) -> Answer:
    found = _TIME.match(plain(text.replace(":", " ")))
    if not found:
        return None
    hour, minute = int(found.group(1)), int(found.group(2) or 0)
    if (found.group(3) or "")[:1] in {"p", "μ", "m"} and hour < 12:
        hour += 12
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _supply_number(text: str, _limits: Limits) -> Answer:
    found = re.sub(r"[\s.\-/]", "", text)
    digits = re.findall(r"\d{5,15}", found)
    return digits[0] if len(digits) == 1 else None


_PARSERS: Mapping[str, Callable[[str, Limits], Answer]] = {
    "text": _text,
    "name": _name,
    "count": _count,
    "money": _money,
    "phone": _phone,
    "place": _place,
    "age_band": _age_band,
    "date": _date,
    "time": _time,
    "district": _district,
    "supply_number": _supply_number,
}
