"""What the linear models look at: words, pairs of words and pieces of words.

Greek comes as keys in capitals, other languages in small letters, so they never collide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST_WORDS = 160
"""A longer text is read from both ends: the greeting says little, the last lines ask."""


def ends(words: Sequence[str]) -> Sequence[str]:
    """The first and last words of a long text, so that the work has a bound."""
    if len(words) <= MOST_WORDS:
        return words
    half = MOST_WORDS // 2
    return [*words[:half], *words[-half:]]


def features(words: Sequence[str]) -> Iterator[str]:
    """Words, neighbours, and 3 to 5 letters of each word with its edges. With repeats."""
    before = ""
    for word in words:
        yield from of_word(word)
        if before:
            yield before + " " + word
        before = word


def of_word(word: str) -> Iterator[str]:
    """One word's share of `features`, the word itself first."""
    yield word
    yield from pieces(word, 3, 5)


def pieces(word: str, least: int, most: int) -> Iterator[str]:
    """The letter groups of one word between its edges ("<", ">")."""
    edged = f"<{word[:24]}>"
    length = len(edged)
    for size in range(least, most + 1):
        for at in range(length - size + 1):
            yield edged[at : at + size]


def language_features(words: Sequence[str]) -> Iterator[str]:
    """For telling languages: whole words and 1 to 4 letters."""
    for word in words:
        yield from language_of_word(word)


def language_of_word(word: str) -> Iterator[str]:
    """One word's share of `language_features`, the word itself first."""
    yield "=" + word
    yield from pieces(word, 1, 4)
