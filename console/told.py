"""Lines of the log in the reader's language. The log keeps short fixed English lines; whatever is not one
of them is shown as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable

from console.words import Words

_LINES = {
    "paging": re.compile(r"paging (?P<who>[\w.\-, ]+) by (?P<means>[\w+]+)"),
    "acknowledged": re.compile(r"page acknowledged by (?P<who>[\w.\-]+) via (?P<means>\w+)"),
    "missed": re.compile(r"contact missed by (?P<who>[\w.\-]+)"),
    "exhausted": re.compile(r"page exhausted"),
    "late": re.compile(r"late answer by (?P<who>[\w.\-]+) via \w+, (?P<owner>[\w.\-]+) has it"),
    "given": re.compile(r"given back by (?P<who>[\w.\-]+)"),
    "passed": re.compile(r"passed from (?P<who>[\w.\-]+) to (?P<owner>[\w.\-]+)"),
    "closed": re.compile(r"closed (?P<outcome>\S+)"),
}


def tell(words: Words, name_of: Callable[[str], str], text: str) -> str:
    """One line as a sentence."""
    for key, pattern in _LINES.items():
        match = pattern.fullmatch(text)
        if match is not None:
            return words.say(f"told.{key}", **_blanks(words, name_of, match.groupdict()))
    return words.name("event", text)


def _blanks(words: Words, name_of: Callable[[str], str], found: dict[str, str]) -> dict[str, str]:
    filled = {}
    for blank, value in found.items():
        if blank == "outcome":
            filled[blank] = words.name("outcome", value)
        elif blank == "means":
            filled[blank] = ", ".join(words.name("means", part) for part in value.split("+"))
        else:
            filled[blank] = ", ".join(name_of(part.strip()) for part in value.split(","))
    return filled
