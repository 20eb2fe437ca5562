"""The language of a short text: alphabet first, then telling letters, then a small learnt model.

Greeklish is Greek (`el`) in Latin letters; the model knows it as a language of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlu.features import ends, language_of_word
from nlu.linear import LinearModel

BY_SCRIPT = {
    "latin": ("en", "el", "sq", "fr", "ro", "tr", "de", "it", "es"),
    "cyrillic": ("uk", "ru", "bg"),
    "arabic": ("ar", "fa", "ur"),
}
LANGUAGES = tuple(language for group in BY_SCRIPT.values() for language in group)

_TELLING = (
    ("uk", re.compile("[іїєґ]")),
    ("ru", re.compile("[ыэ]")),
    ("ur", re.compile("[ٹڈڑےںھ]")),
)


@dataclass(frozen=True, slots=True)
class Guess:
    """The language, and how much Greek speaks for itself in a Latin text (0 to 1)."""

    language: str
    greeklish: float


def guess(model: LinearModel, script: str, words: Sequence[str], tidied: str) -> Guess:
    """The language of tidied words that are mostly in one script."""
    if script not in BY_SCRIPT:
        return Guess("el", 1.0)
    if script != "latin":
        for language, letters in _TELLING:
            if letters.search(tidied[:4000]):
                return Guess(language, 0.0)
    bare = [word.replace("'", "") for word in ends(words)]
    shares, found = model.scores_of(bare, language_of_word, pairs=False)
    options = {language: float(shares[model.labels.index(language)]) for language in BY_SCRIPT[script]}
    total = sum(options.values()) or 1.0
    best = max(options, key=lambda language: options[language])
    return Guess(best if len(found) else _USUAL[script], options.get("el", 0.0) / total)


_USUAL = {"latin": "en", "cyrillic": "ru", "arabic": "ar"}
