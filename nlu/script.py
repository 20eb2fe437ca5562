"""Which alphabet a text is written in, by counting letters. Pure."""

from __future__ import annotations

import re

_LETTERS = {
    "greek": re.compile("[\u0370-\u03ff]+"),
    "latin": re.compile("[a-z]+"),
    "arabic": re.compile("[\u0600-\u06ff]+"),
    "cyrillic": re.compile("[\u0400-\u04ff]+"),
}
_MOST = 4000
"""Letters looked at: the alphabet of a long text shows in its beginning and end."""
MIXED_FROM = 0.2
"""Share of letters of a second alphabet from which a text counts as mixed."""


def counts(tidied: str) -> dict[str, int]:
    """Letters per alphabet in a tidied text."""
    sample = tidied if len(tidied) <= _MOST else tidied[: _MOST // 2] + tidied[-_MOST // 2 :]
    if sample.isascii():
        return {"greek": 0, "latin": _count("latin", sample), "arabic": 0, "cyrillic": 0}
    return {name: _count(name, sample) for name in _LETTERS}


def _count(name: str, sample: str) -> int:
    return sum(map(len, _LETTERS[name].findall(sample)))


def script_of(found: dict[str, int]) -> str:
    """greek, latin, arabic, cyrillic or mixed. A text without letters counts as greek, the town's own."""
    total = sum(found.values())
    if not total:
        return "greek"
    first, second = sorted(found, key=lambda name: -found[name])[:2]
    return "mixed" if found[second] >= MIXED_FROM * total else first
