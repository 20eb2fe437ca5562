"""Which of the offered options a text means: its number, its label, words that mean the same, yes or no.

Careful rather than clever: two options that fit equally well are no answer, and "not safe" never
counts as "safe".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows import words
from flows.fold import holds, plain, same
from flows.session import Understood

INSIDE_WORDS = 7  # an option is looked for inside texts of at most so many words
SURE = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """One option and every phrase that means it; the label comes first."""

    value: str
    phrases: tuple[str, ...]


def choose(choices: Sequence[Choice], text: str, understood: Understood | None) -> str | None:
    """The value of the one option that is meant, None where none or more than one is."""
    if not text.strip() or len(text) > 400:
        return None
    exact = {choice.value for choice in choices if any(same(text, phrase) for phrase in choice.phrases)}
    if len(exact) == 1:
        return exact.pop()
    return _by_number(choices, text) or _yes_no(choices, text, understood) or _inside(choices, text)


def _by_number(choices: Sequence[Choice], text: str) -> str | None:
    digits = text.strip().rstrip(".)").strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 2 and 1 <= int(digits) <= len(choices):
        return choices[int(digits) - 1].value
    return None


def _yes_no(choices: Sequence[Choice], text: str, understood: Understood | None) -> str | None:
    answer = words.yes_or_no(text)
    if answer is None and understood is not None and understood.confidence >= SURE:
        answer = understood.intent if understood.intent in {"yes", "no"} else None
    return answer if any(choice.value == answer for choice in choices) else None


def _inside(choices: Sequence[Choice], text: str) -> str | None:
    if len(plain(text).split()) > INSIDE_WORDS:
        return None
    found = [
        (len(plain(phrase)), choice.value)
        for choice in choices
        for phrase in choice.phrases
        if len(plain(phrase)) >= 3 and holds(text, phrase) and not _negated(text, phrase)
    ]
    longest = {value for length, value in found if length == max(found)[0]}
    return longest.pop() if len(longest) == 1 else None


def _negated(text: str, phrase: str) -> bool:
    return bool(words.NEGATIONS & (set(plain(text).split()) - set(plain(phrase).split())))
