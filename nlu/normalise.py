"""Makes the many spellings of one phrase equal. Pure: no lists of words, no state.

`tidy` removes what carries no meaning (case, accents, look-alike letters), `words` cuts it, and
`fold` writes a Greek or Greeklish word by its sound: both scripts give the same key, in A to Z.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

# ---------------------------------------------------------------- letters without ornaments

_KEEP = set("йїў")  # in Cyrillic the mark makes another letter


def _base(char: str) -> str:
    """The letter under the accents: ά -> α, é -> e, ς -> σ; й stays й."""
    if char in _KEEP:
        return char
    bare = "".join(part for part in unicodedata.normalize("NFD", char) if not unicodedata.combining(part))
    return bare or char


def _ornaments() -> dict[int, str | None]:
    """Which character becomes which. Covers the Latin, Greek, Cyrillic and Arabic blocks."""
    table: dict[int, str | None] = {}
    for code in (*range(0x00C0, 0x0600), *range(0x1E00, 0x2000)):
        char = chr(code)
        if char.isalpha() and (bare := _base(char)) != char:
            table[code] = bare
    table |= dict.fromkeys((*range(0x0300, 0x0370), *range(0x064B, 0x0660), 0x0640, 0x0670), None)  # marks
    table |= dict.fromkeys((0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFE0F, 0xFEFF), None)
    table |= {ord(quote): "'" for quote in "’‘ʼ`´΄᾽᾿"}
    table |= {ord(a): b for a, b in zip("ıøłđæœς", ("i", "o", "l", "d", "ae", "oe", "σ"), strict=True)}
    return table


_TIDY = _ornaments()
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*'?")
_GREEK = re.compile("[\u0370-\u03ff]")
_LATIN = re.compile("[a-z]")
_DIGIT = re.compile(r"\d")


def tidy(text: str) -> str:
    """Lower case, no accents, σ for ς, one form of each letter, no invisible characters."""
    lowered = unicodedata.normalize("NFKC", text).casefold()
    return _STRETCHED.sub(r"\1\1", unicodedata.normalize("NFC", lowered).translate(_TIDY))


def words(text: str) -> list[str]:
    """The words of a tidied text, look-alike letters put right. Apostrophes stay inside words."""
    return [_one_alphabet(word) for word in _WORD.findall(text)]


# ---------------------------------------------------------------- mixed alphabets

_LOOK_LATIN = str.maketrans("abehikmnoptuxyzvwcsdfglr", "αβεηικμνορτυχυζνωσσδφγλρ")
_SAME_SHAPE = frozenset("abehikmnoptxyz")
_LOOK_CYRILLIC = str.maketrans("аеорсухкмтнвіп", "αεορσυχκμτηβιπ")
_TO_LATIN = str.maketrans("αβγδεζηθικλμνξοπρστυφχψω", "avgdezh8iklmn3oprstyfx4w")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_FOREIGN = re.compile("[a-z\u0400-\u04ff]")


def _one_alphabet(word: str) -> str:
    """A word in one script: the letters of the majority win, the others are read as look-alikes."""
    if not _FOREIGN.search(word) or not (greek := len(_GREEK.findall(word))):
        return word
    if latin := _LATIN.findall(word):
        shapes = greek >= len(latin) or _SAME_SHAPE.issuperset(latin)
        word = word.translate(_LOOK_LATIN) if shapes else word.translate(_TO_LATIN)
    if _CYRILLIC.search(word):
        word = word.translate(_LOOK_CYRILLIC)
    return word


# ---------------------------------------------------------------- plain words of other languages

_ARABIC = str.maketrans("أإآٱؤئىیکةۀہھۂە", "ا" * 4 + "و" + "ي" * 3 + "ك" + "ه" * 6)


def plain(word: str) -> str:
    """A word that is not Greek, as patterns and features see it: no apostrophe, one form of each letter."""
    return word.replace("'", "").translate(_ARABIC)


# ---------------------------------------------------------------- the phonetic key


class Habit(NamedTuple):
    """How one writer spells Greek in Latin letters, where habits differ.

    x   what "x" stands for: H (χ) or X (ξ)
    u   what a lone "u" stands for: U (ου), I (υ) or Q (θ)
    v   what "v" stands for: V (β) or N (ν)
    h   what "h" after t, p, k, s stands for: "sound" (th = θ) or "eta" (th = τη)
    i   whether "oi", "ei", "ai" are one vowel ("pair") or two ("apart": zoi = ζωή)
    """

    x: str = "H"
    u: str = "U"
    v: str = "V"
    h: str = "sound"
    i: str = "pair"


PLAIN_HABIT = Habit()

# Longest first; order settles overlaps and is the same in both tables, so that both scripts agree.
_GREEK_PAIRS = (
    ("ου", "U"),
    ("αι", "E"),
    ("ει", "I"),
    ("οι", "I"),
    ("υι", "I"),
    ("αυ", "AF"),
    ("ευ", "EF"),
    ("μπ", "V"),
    ("μβ", "V"),
    ("ντ", "D"),
    ("νδ", "D"),
    ("γκ", "G"),
    ("γγ", "G"),
    ("γχ", "NH"),
    ("γξ", "NX"),
    ("κσ", "X"),
    ("ψ", "PS"),
)
_GREEK_LETTERS = str.maketrans("αβγδεζηθικλμνξοπρστυφχω", "AVGDEZIQIKLMNXOPRSTIFHO")
_LATIN_PAIRS = (
    ("ou", "U"),
    ("oy", "U"),
    ("ai", "E"),
    ("ei", "I"),
    ("oi", "I"),
    ("yi", "I"),
    ("ui", "I"),
    ("au", "AF"),
    ("ay", "AF"),
    ("eu", "EF"),
    ("ey", "EF"),
    ("mp", "V"),
    ("mb", "V"),
    ("nt", "D"),
    ("nd", "D"),
    ("gk", "G"),
    ("gg", "G"),
    ("ng", "G"),
    ("gx", "NH"),
    ("gh", "G"),
    ("nch", "NH"),
    ("ch", "H"),
    ("ks", "X"),
    ("4", "PS"),
)
_LATIN_LETTERS = str.maketrans("abcdefgijklmnopqrstwyz389", "AVKDEFGIZKLMNOPKRSTOIZXQQ")
_ETA = re.compile(r"h(?![aeiouwy]|[AEIOU])")
_H_AS_ETA = re.compile(r"([tpks])h(?=[nmszdbgkvx89]|$)")
_SOUND_H = (("th", "Q"), ("ph", "F"), ("kh", "H"))
_DOUBLE = re.compile(r"([A-Z])\1+")
_SOFT_G = re.compile(r"G(?=[IE])")


def _finish(key: str) -> str:
    """What both scripts share: soft γ is a vowel, β is φ after a and e, doubles are single."""
    key = _SOFT_G.sub("I", key)
    if "V" in key:
        key = key.replace("AV", "AF").replace("EV", "EF")
    return _DOUBLE.sub(r"\1", key)


def fold_greek(text: str) -> str:
    """The key of tidied Greek text; spaces and digits stay."""
    for pair, key in _GREEK_PAIRS:
        if pair in text:
            text = text.replace(pair, key)
    return _finish(text.translate(_GREEK_LETTERS))


def fold_latin(word: str, habit: Habit = PLAIN_HABIT) -> str:
    """The key of one tidied Greeklish word."""
    if habit.i == "apart":
        word = word.replace("oi", "OI").replace("ei", "EI").replace("ai", "AI")
    for pair, key in _LATIN_PAIRS:
        if pair in word:
            word = word.replace(pair, key)
    if "h" in word:
        word = _fold_h(word, habit)
    word = word.replace("x", habit.x).replace("u", habit.u).replace("v", habit.v)
    return _finish(word.translate(_LATIN_LETTERS))


def _fold_h(word: str, habit: Habit) -> str:
    """h is χ before a vowel and η elsewhere, unless it belongs to th, ph, kh."""
    word = _H_AS_ETA.sub(r"\1I", word) if habit.h == "sound" else re.sub(r"([tpks])h", r"\1I", word)
    for pair, key in _SOUND_H:
        word = word.replace(pair, key)
    return _ETA.sub("I", word).replace("h", "H")


def is_greek(word: str) -> bool:
    """Whether a tidied word is written in Greek letters."""
    return _GREEK.search(word) is not None


def is_latin(word: str) -> bool:
    """Whether a tidied word has Latin letters (digits may stand for Greek ones: 8elw)."""
    return _LATIN.search(word) is not None


@lru_cache(16384)
def fold_word(word: str, habit: Habit = PLAIN_HABIT) -> str:
    """The key of one tidied word of either script. Numbers stay numbers."""
    if is_greek(word):
        return fold_greek(_eight_is_theta(word.replace("'", "")))
    return fold_latin(word.replace("'", ""), habit) if is_latin(word) else word


def _eight_is_theta(word: str) -> str:
    """8 inside a Greek word is θ (8έλω); in a number it stays (18χρονος)."""
    return (
        word.replace("8", "θ") if "8" in word and word.count("8") == len(_DIGIT.findall(word)) == 1 else word
    )


def habit_of(text: str) -> Habit:
    """The likeliest habits of one writer, from the whole tidied message.

    Who writes ξ as "ks" or "3" keeps "x" for χ; who writes "ou" keeps "u" for υ; who writes
    "va" for να copies the shape of ν.
    """
    x = "X" if re.search(r"ch|\bh[aeiou]", text) and not re.search(r"ks|[a-z]3|3[a-z]", text) else "H"
    u = "I" if re.search(r"o[uy]", text) else "U"
    v = "N" if "n" not in text and re.search(r"\b(va|dev|eivai|tov|tnv|8elw)\b", text) else "V"
    return Habit(x, u, v)


_HABITS = tuple(
    Habit(x, u, v, h, i)
    for i in ("pair", "apart")
    for h in ("sound", "eta")
    for x in "HX"
    for u in "UIQ"
    for v in "VN"
)


@lru_cache(16384)  # the words that everybody types come again and again; bounded, and in memory alone
def readings(word: str, first: Habit = PLAIN_HABIT) -> tuple[str, ...]:
    """Every key that a Greeklish word may have, the likeliest first. One key for a Greek word."""
    keys = {fold_word(word, first): None}
    if is_latin(word):
        traits = (*(letter in word for letter in "xuvh"), any(pair in word for pair in ("oi", "ei", "ai")))
        relevant = _relevant(traits)
        keys |= dict.fromkeys(fold_word(word, habit) for habit in relevant)
        if word.count("x") > 1:
            keys[fold_word(word.replace("x", "ks", 1))] = None
        if "j" in word:
            keys |= dict.fromkeys(fold_word(word.replace("j", "3"), habit) for habit in relevant)
    return tuple(keys)


@cache
def _relevant(traits: tuple[bool, ...]) -> tuple[Habit, ...]:
    """The habits that differ for a word that has, or has not: x, u, v, h, a vowel pair."""
    usual = ("H", "U", "V", "sound", "pair")
    return tuple(
        habit
        for habit in _HABITS
        if all(
            has or value == plain_value
            for has, value, plain_value in zip(
                traits, (habit.x, habit.u, habit.v, habit.h, habit.i), usual, strict=True
            )
        )
    )


def fold(text: str) -> str:
    """The likeliest key of a whole text, words separated by single spaces."""
    tidied = tidy(text)
    habit = habit_of(tidied)
    return " ".join(fold_word(part, habit) for word in words(tidied) for part in word.split("'") if part)
