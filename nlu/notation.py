"""The small notation of risk patterns, made for a clinician to read, compiled to a bounded regex.

    word        this word            word*   any word that begins so
    (a|b c)     one of these         [a|b]   one of these, or nothing
    ...         up to 3 words        ...5    up to 5 words

Every repetition is bounded, so matching time is too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

GAP = 3
_TOKEN = re.compile(r"\.\.\.\d?|[()\[\]|]|[^\s()\[\]|]+")


class BadPattern(ValueError):
    """A pattern that does not follow the notation; the message says where."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A word that a text must have for a pattern to match."""

    word: str
    prefix: bool


@dataclass(frozen=True, slots=True)
class Compiled:
    """A regex over ' '-separated words (one blank after each), and words of which one is required."""

    regex: str
    anchors: frozenset[Anchor]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece of a pattern: its regex, its required words (none when it may be absent)."""

    regex: str
    anchors: frozenset[Anchor]
    words: frozenset[str]


def compile_pattern(pattern: str, key: Callable[[str], str]) -> Compiled:
    """The pattern with every word written by `key` (the fold for Greek, plain for others)."""
    tokens = _TOKEN.findall(pattern)
    part, rest = _sequence(tokens, 0, key)
    if rest != len(tokens):
        raise BadPattern(f"unexpected {tokens[rest]!r} in {pattern!r}")
    if not part.anchors:
        raise BadPattern(f"nothing is required in {pattern!r}")
    return Compiled("(?<= )" + part.regex, part.anchors, part.words)


def _sequence(tokens: list[str], at: int, key: Callable[[str], str]) -> tuple[_Part, int]:
    """Parts one after another, up to the end or a closing sign."""
    parts: list[_Part] = []
    while at < len(tokens) and tokens[at] not in (")", "]", "|"):
        part, at = _item(tokens, at, key)
        parts.append(part)
    best: frozenset[Anchor] = max((p.anchors for p in parts), key=_worth, default=frozenset())
    words = frozenset[str]().union(*(part.words for part in parts))
    return _Part("".join(part.regex for part in parts), best, words), at


def _worth(anchors: frozenset[Anchor]) -> int:
    """Long words are rare words: the shortest alternative tells how often the pattern is tried."""
    return min((len(anchor.word) for anchor in anchors), default=-1)


def _item(tokens: list[str], at: int, key: Callable[[str], str]) -> tuple[_Part, int]:
    """One word, gap or group."""
    token = tokens[at]
    if token in ("(", "["):
        return _group(tokens, at, key)
    if token.startswith("..."):
        return _Part(f"(?:\\S+ ){{0,{token[3:] or GAP}}}?", frozenset(), frozenset()), at + 1
    *before, word = key(token.rstrip("*")).split() or [""]
    if not word:
        raise BadPattern(f"{token!r} is no word")
    prefix = token.endswith("*")
    regex = "".join(re.escape(part) + " " for part in before) + re.escape(word) + (r"\S* " if prefix else " ")
    known = frozenset(before if prefix else [*before, word])
    return _Part(regex, frozenset([Anchor(word, prefix)]), known), at + 1


def _group(tokens: list[str], at: int, key: Callable[[str], str]) -> tuple[_Part, int]:
    """Alternatives in ( ), or in [ ] when they may be absent."""
    opened = tokens[at]
    options: list[_Part] = []
    while tokens[at] in (opened, "|"):
        option, at = _sequence(tokens, at + 1, key)
        options.append(option)
        if at == len(tokens):
            raise BadPattern(f"{opened!r} is never closed")
    if tokens[at] != {"(": ")", "[": "]"}[opened]:
        raise BadPattern(f"{opened!r} closed by {tokens[at]!r}")
    regex = "(?:" + "|".join(option.regex for option in options) + ")"
    words = frozenset[str]().union(*(option.words for option in options))
    if opened == "[":
        return _Part(regex + "?", frozenset(), words), at + 1
    return _Part(regex, frozenset(_all_anchors(options)), words), at + 1


def _all_anchors(options: list[_Part]) -> Iterator[Anchor]:
    """The required words of a choice: those of each option, none if one option requires nothing."""
    if all(option.anchors for option in options):
        for option in options:
            yield from option.anchors
