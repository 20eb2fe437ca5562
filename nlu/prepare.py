"""One text made ready for every reader of this room: tidied, cut, keyed, its script and language."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from nlu.features import ends
from nlu.language import guess
from nlu.lexicon import Lexicon
from nlu.linear import LinearModel
from nlu.normalise import habit_of, is_greek, is_latin, plain, tidy, words
from nlu.script import counts, script_of

GREEKLISH_FROM = 0.5
DOUBT = 0.03
"""Between this and its complement a Latin text is read both ways."""
_MOST_LETTERS = 400_000
"""No channel lets a longer text through; the rest is not read."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text made ready.

    keys     Greek keys of the Greek words, and of Latin words as if they were Greeklish
    plain    the words as typed, tidied
    alarming the keys once more, ambiguous Greeklish words read as words of danger where they may be
    greek    how sure it is that the Latin words are Greek, 0 to 1
    views    the word lists that the intent model should read; two when the language is in doubt
    """

    script: str
    language: str
    keys: list[str]
    plain: list[str]
    alarming: list[str]
    greek: float
    views: tuple[Sequence[str], ...]


def prepare(text: str, lexicon: Lexicon, languages: LinearModel, danger: Container[str] = ()) -> Prepared:
    """Everything that reading needs to know of the letters. Linear in the text's length."""
    tidied = tidy(text[:_MOST_LETTERS])
    parts = words(tidied)
    found = counts(" ".join(parts))
    script = script_of(found)
    main = "greek" if script == "mixed" and found["greek"] else max(found, key=lambda name: found[name])
    language = guess(languages, main, parts, tidied)
    greek = script != "latin" or language.greeklish >= DOUBT
    keys, alarming = _keys(tidied, parts, found["latin"] > 0, greek, lexicon, danger)
    simple = [plain(part) for part in parts]
    if script == "latin" and language.language == "el":
        script = "greeklish"
    views = _views(script, keys, simple, language.greeklish)
    return Prepared(script, language.language, keys, simple, alarming, language.greeklish, views)


def _keys(
    tidied: str, parts: Sequence[str], latin: bool, greek: bool, lexicon: Lexicon, danger: Container[str]
) -> tuple[list[str], list[str]]:
    """The keys, and the keys with the alarming reading of ambiguous words (Latin letters only)."""
    pieces = loose(parts)
    habit = habit_of(tidied[:4000])
    if not latin:
        return lexicon.repair(pieces, habit), []
    keys = lexicon.repair(pieces, habit, slips=greek)
    alarming = lexicon.repair(pieces, habit, danger, slips=greek)
    return keys, [] if alarming == keys else alarming


def loose(parts: Sequence[str]) -> list[str]:
    """The words without apostrophes, the pieces apart (σ'αγαπώ); only alphabets that have keys."""
    pieces = (piece for part in parts for piece in part.split("'") if piece)
    return [piece for piece in pieces if is_greek(piece) or is_latin(piece) or piece.isdigit()]


def _views(script: str, keys: list[str], simple: list[str], greek: float) -> tuple[Sequence[str], ...]:
    """Which words the intent model reads."""
    if script == "greek":
        return (ends(keys),)
    if script in ("arabic", "cyrillic"):
        return (ends(simple),)
    if script == "mixed":
        return (ends(keys), ends([part for part in simple if not is_greek(part)] + keys))
    if greek > 1 - DOUBT:
        return (ends(keys),)
    return (ends(simple),) if greek < DOUBT else (ends(simple), ends(keys))
