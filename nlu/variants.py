"""Other spellings of a Greek phrase, made by rule: what people type on phones.

Used to train, to test the risk patterns, and to measure. The same phrase always gives the same
variants: chance comes from the phrase itself.
"""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

SPELLINGS = (
    "accented",
    "unaccented",
    "capitals",
    "misspelt",
    "greeklish",
    "greeklish_digits",
    "greeklish_shape",
)
"""The names that `spell` knows, in the order of the tables in docs/understanding.md."""

_PAIRS_BY_EAR = {"ου": "ou", "μπ": "mp", "ντ": "nt", "γκ": "gk", "γγ": "gg", "αυ": "au", "ευ": "eu"}
_LETTERS_BY_EAR = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "ks", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "x", "ψ": "ps", "ω": "o",
}  # fmt: skip
_BY_EAR = _PAIRS_BY_EAR | _LETTERS_BY_EAR
_DIGITS = _BY_EAR | {"θ": "8", "ω": "w", "ξ": "3", "η": "h", "ου": "oy", "αυ": "ay", "ευ": "ey"}
_SHAPE = _BY_EAR | {"θ": "8", "ω": "w", "η": "h", "χ": "x", "υ": "u", "β": "b", "ψ": "4"}
_ENGLISH = _BY_EAR | {
    "χ": "ch",
    "ξ": "x",
    "υ": "i",
    "αυ": "af",
    "ευ": "ef",
    "μπ": "b",
    "ει": "i",
    "οι": "i",
    "αι": "e",
}
GREEKLISH: Mapping[str, Mapping[str, str]] = {
    "greeklish": _BY_EAR,
    "greeklish_digits": _DIGITS,
    "greeklish_shape": _SHAPE,
    "greeklish_english": _ENGLISH,
}

_BY_EAR_SLIPS = (
    ("αυ", "αφ"),
    ("ευ", "εφ"),
    ("ει", "ι"),
    ("οι", "ι"),
    ("αι", "ε"),
    ("η", "ι"),
    ("ω", "ο"),
    ("(?<![οαε])υ", "ι"),
    ("λλ", "λ"),
    ("σσ", "σ"),
    ("ββ", "β"),
    ("σμ", "ζμ"),
)


def unaccented(text: str) -> str:
    """The phrase without accents; case stays."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(part for part in parts if part not in "\u0301\u0308"))


def greeklish(text: str, letters: Mapping[str, str]) -> str:
    """The phrase in Latin letters, by one habit."""
    text = unaccented(text).lower()
    for pair in sorted(letters, key=len, reverse=True):
        text = text.replace(pair, letters[pair])
    return text


def _chance(text: str) -> random.Random:
    """Chance that belongs to the phrase: the same on every machine."""
    return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311


def misspelt(text: str) -> str:
    """The phrase without accents, spelt by ear in about half of the places, with one slip of the finger."""
    chance = _chance(text)
    text = unaccented(text).lower()
    for right, wrong in _BY_EAR_SLIPS:
        text = "".join(_by_ear(text, right, wrong, chance))
    return _slip(text, chance)


def _by_ear(text: str, right: str, wrong: str, chance: random.Random) -> Iterator[str]:
    """The text with about half of the places spelt wrong."""
    after = 0
    for match in re.finditer(right, text):
        yield text[after : match.start()]
        yield wrong if chance.random() < 0.5 else match[0]
        after = match.end()
    yield text[after:]


def _slip(text: str, chance: random.Random) -> str:
    """One letter lost, doubled or swapped inside one long word."""
    long = list(re.finditer(r"[^\W\d_]{6,}", text))
    if not long:
        return text
    where = chance.choice(long)
    at = where.start() + chance.randrange(1, len(where[0]) - 2)
    mends: tuple[Callable[[], str], ...] = (
        lambda: text[:at] + text[at + 1 :],
        lambda: text[:at] + text[at] + text[at:],
        lambda: text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return chance.choice(mends)()


def spell(text: str, spelling: str) -> str:
    """One variant of an accented Greek phrase, by its name in SPELLINGS or GREEKLISH."""
    match spelling:
        case "accented":
            return text
        case "unaccented":
            return unaccented(text).lower()
        case "capitals":
            return unaccented(text).upper()
        case "misspelt":
            return misspelt(text)
        case "run_together":
            return unaccented(text).lower().replace(" ", "")
        case _:
            return greeklish(text, GREEKLISH[spelling])
