"""Greek in a text message: whole, or in the few Greek letters that every network's 7-bit alphabet has.

The 7-bit alphabet holds ten Greek capitals; the other fourteen look exactly like Latin ones. Unaccented
capitals therefore travel intact, at 160 letters a message instead of 70.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from math import ceil

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
LOOK_ALIKES = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_PLAIN = {
    "«": '"',
    "»": '"',
    "“": '"',
    "”": '"',
    "’": "'",
    "–": "-",
    "—": "-",
    "…": "...",
    "·": ";",
    "\xa0": " ",
}


class Alphabet(StrEnum):
    """How Greek is sent: `capitals` in the 7-bit alphabet, `full` with small letters and accents."""

    capitals = "capitals"
    full = "full"


def in_capitals(text: str) -> str:
    """Greek letters as unaccented capitals that the 7-bit alphabet has or shows alike; everything else as
    it is, so that links survive. What no phone could show becomes a question mark."""
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if letter in BASIC or letter in EXTENDED:
        return letter
    if letter in _PLAIN:
        return _PLAIN[letter]
    bare = "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))
    capitals = bare.upper()
    shown = "".join(LOOK_ALIKES.get(capital, capital) for capital in capitals)
    if bare and all(part in BASIC for part in shown):
        return shown
    return "" if unicodedata.combining(letter) else "?"


def is_gsm7(text: str) -> bool:
    """Whether a text travels in the 7-bit alphabet."""
    return all(letter in BASIC or letter in EXTENDED for letter in text)


def segments(text: str) -> int:
    """How many messages a text is cut into (and paid for); a long text loses room to the numbering."""
    if is_gsm7(text):
        length, alone, part = sum(2 if letter in EXTENDED else 1 for letter in text), 160, 153
    else:
        length, alone, part = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= alone else ceil(length / part)
