"""Cuts texts to a channel's measure: at a paragraph, else a line, a sentence, a word, else anywhere."""

from __future__ import annotations

_CUTS = ("\n\n", "\n", ". ", "; ", ", ", " ")


def split_text(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` characters; nothing but blanks at a cut is dropped."""
    parts = []
    rest = text.strip() or "…"
    while len(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest]


def fit_label(label: str, limit: int) -> str:
    """A button's label, shortened with an ellipsis where the channel has no room."""
    return label if len(label) <= limit else label[: limit - 1].rstrip() + "…"


def _cut(text: str, limit: int) -> int:
    """The best place to cut in the second half of the measure."""
    for mark in _CUTS:
        place = text.rfind(mark, limit // 2, limit)
        if place > 0:
            return place + len(mark.rstrip()) if mark.strip() else place
    return limit
