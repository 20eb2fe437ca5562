"""Comparing what people type: without case, accents and punctuation, and by sound for Greeklish.

Small on purpose: understanding proper is not this room's. It only tells whether two short texts are
the same words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[^\w@+]+")
_TWICE = re.compile(r"([^\W\d])\1+")

# Pairs first, in this order: both spellings of one sound end in the same Latin letters ("nth" is νθ).
_SOUNDS = (
    "th>T ph>f ch>X kh>X ks>X ps>P ου>U ou>U oy>U αυ>av ευ>ev au>av eu>ev ει>i οι>i υι>i ei>i oi>i "
    "αι>e ai>e μπ>B mp>B ντ>d nt>d γκ>g γγ>g gk>g gg>g τσ>ts τζ>tz"
)
_PAIRS = tuple(pair.split(">") for pair in _SOUNDS.split())
_SINGLE = str.maketrans(
    {
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "T", "ι": "i", "κ": "k",
        "λ": "l", "μ": "m", "ν": "n", "ξ": "X", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "τ": "t", "υ": "i",
        "φ": "f", "χ": "X", "ψ": "P", "ω": "o", "w": "o", "y": "i", "u": "i", "x": "X", "h": "X", "c": "k",
        "q": "k", "b": "v",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Lower case, no accents, no punctuation, one space between words, σ for ς."""
    letters = unicodedata.normalize("NFKD", text).casefold().replace("ς", "σ")
    bare = "".join(c for c in unicodedata.normalize("NFD", letters) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", bare).strip()


@lru_cache(maxsize=4096)
def sound(text: str) -> str:
    """One key for the Greek and the Latin spelling of the same words."""
    key = plain(text)
    for letters, sounds in _PAIRS:
        key = key.replace(letters, sounds)
    key = key.translate(_SINGLE)
    for letters, sounds in (
        ("oi", "i"),
        ("ei", "i"),
        ("ai", "e"),
    ):  # βοήθεια: an accent parts what Latin joins
        key = key.replace(letters, sounds)
    return _TWICE.sub(r"\1", key)


def same(one: str, other: str) -> bool:
    """True where two texts are the same words, however they are spelled."""
    return plain(one) == plain(other) or sound(one) == sound(other)


def holds(text: str, phrase: str) -> bool:
    """True where the words of `phrase` stand together in `text`."""
    if not phrase.strip():
        return False
    for fold in (plain, sound):
        key = fold(phrase)
        if key and f" {key} " in f" {fold(text)} ":
            return True
    return False
