"""Reviewed patterns for danger: nlu/risk/*.yaml, one file per language, run on every text.

Greek patterns are written once, in Greek, and match every spelling through the phonetic key.
Negation and history lower red to amber; nothing lowers amber to none but a rule's own `unless`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from nlu.normalise import fold, plain, tidy
from nlu.notation import Anchor, BadPattern, compile_pattern
from nlu.reading import Risk, RiskKind

FOLDER = Path(__file__).parent / "risk"
WINDOW = 90
OVERLAP = 30
"""A long text is read in windows of so many words, so that the work grows with its length alone."""
AROUND = 5
"""Words either side of a match in which an `unless` or a word of the past counts."""

_URGENCY = (
    RiskKind.suicide,
    RiskKind.child,
    RiskKind.violence,
    RiskKind.medical,
    RiskKind.threat,
    RiskKind.self_harm,
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the patterns found: the most serious risk, its kind, and the ids of the rules."""

    risk: Risk
    kind: RiskKind
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One reviewed rule, as the file has it."""

    id: str
    language: str
    kind: RiskKind
    level: Risk
    patterns: tuple[str, ...]
    unless: tuple[str, ...]
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    past: bool
    sign: str | None
    reviewer: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Softeners:
    """A language's words that turn red into amber."""

    negations: frozenset[str]
    between: frozenset[str]
    history: re.Pattern[str] | None
    now: re.Pattern[str] | None


@dataclass(slots=True)
class _Ready:
    """A rule with its expressions, compiled when first needed: a text needs few of them."""

    rule: Rule
    sources: tuple[str, ...]
    unless_sources: tuple[str, ...]
    softeners: Softeners
    _expressions: tuple[re.Pattern[str] | None, re.Pattern[str] | None] | None = None

    def expressions(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
        """(what matches, what voids a match)."""
        if self._expressions is None:
            self._expressions = (_either(self.sources), _either(self.unless_sources))
        return self._expressions


@dataclass(slots=True)
class Rules:
    """All rules, indexed by a word that a text must have."""

    ready: list[_Ready]
    greek_words: set[str] = field(default_factory=set)
    _exact: dict[str, list[int]] = field(default_factory=dict)
    _begins: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Rules:
        """The rules of all languages. A malformed rule raises BadPattern or KeyError here, at start."""
        found = cls([])
        for path in sorted(folder.glob("*.yaml")):
            content = read_yaml(path)
            softeners = _softeners(content, path.stem)
            for rule in _rules(content, path.stem):
                found.add(rule, softeners)
        return found

    def add(self, rule: Rule, softeners: Softeners) -> None:
        """Takes a rule into the index."""
        at = len(self.ready)
        compiled = [compile_pattern(pattern, key_of(rule.language)) for pattern in rule.patterns]
        unless = [compile_pattern(pattern, key_of(rule.language)) for pattern in rule.unless]
        if rule.language == "el":
            self.greek_words.update(*(one.words for one in compiled))
        sources = tuple(one.regex for one in compiled)
        self.ready.append(_Ready(rule, sources, tuple(one.regex for one in unless), softeners))
        for anchor in sorted(
            frozenset[Anchor]().union(*(one.anchors for one in compiled)), key=lambda anchor: anchor.word
        ):
            if not anchor.prefix:
                self._exact.setdefault(anchor.word, []).append(at)
            elif len(anchor.word) >= 3:
                self._begins.setdefault(anchor.word[:3], []).append((anchor.word, at))
            else:
                raise BadPattern(f"{rule.id}: {anchor.word}* begins too many words")

    def look(self, *views: Sequence[str]) -> Alarm | None:
        """The most serious danger in a text, given as Greek keys, plain words, or other views of it."""
        hits: dict[str, tuple[Rule, Risk]] = {}
        for view in views:
            for window in windows(view):
                for rule, level in self._window(window):
                    if rule.id not in hits or hits[rule.id][1].level < level.level:
                        hits[rule.id] = (rule, level)
        return _verdict(list(hits.values()))

    def _window(self, words: Sequence[str]) -> Iterator[tuple[Rule, Risk]]:
        """The rules that match in one window, with the level after softening."""
        candidates = self._candidates(words)
        if not candidates:
            return
        text = " " + " ".join(words) + " "
        for at in sorted(candidates):
            ready = self.ready[at]
            expression, unless = ready.expressions()
            levels = [
                _level(ready, text, match)
                for match in (expression.finditer(text) if expression else ())
                if unless is None or not unless.search(around(text, match.start(), match.end()))
            ]
            if levels:
                yield ready.rule, max(levels, key=lambda level: level.level)

    def _candidates(self, words: Sequence[str]) -> set[int]:
        """Rules of which a required word is there."""
        found: set[int] = set()
        for word in words:
            if (exact := self._exact.get(word)) is not None:
                found.update(exact)
            if (begins := self._begins.get(word[:3])) is not None:
                found.update(at for start, at in begins if word.startswith(start))
        return found


def windows(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """A short text whole; a long one in overlapping pieces."""
    if len(words) <= WINDOW:
        yield words
        return
    for start in range(0, len(words) - OVERLAP, WINDOW - OVERLAP):
        yield words[start : start + WINDOW]


def around(text: str, start: int, end: int) -> str:
    """A match with AROUND words on either side, blanks at both ends."""
    for _ in range(AROUND + 1):
        start = max(text.rfind(" ", 0, max(start, 0)), 0)
    for _ in range(AROUND):
        after = text.find(" ", end)
        end = len(text) if after < 0 else after + 1
    return " " + text[start:end].strip() + " "


def _level(ready: _Ready, text: str, match: re.Match[str]) -> Risk:
    """The rule's level; red becomes amber when denied or told of the past."""
    if ready.rule.level is not Risk.red:
        return ready.rule.level
    soft = ready.softeners
    if _denied(soft, text, match.start()):
        return Risk.amber
    if ready.rule.past and soft.history:
        near = around(text, match.start(), match.end())
        if soft.history.search(near) and not (soft.now and soft.now.search(near)):
            return Risk.amber
    return Risk.red


def _denied(soft: Softeners, text: str, start: int) -> bool:
    """Whether a negation stands right before a match, little words between them not counting."""
    for word in reversed(text[max(0, start - 40) : start].split()[-4:]):
        if word in soft.negations:
            return True
        if word not in soft.between:
            return False
    return False


def _verdict(hits: Sequence[tuple[Rule, Risk]]) -> Alarm | None:
    """All hits weighed: despair beside means or a farewell is red, though each alone is amber."""
    if not hits:
        return None
    signs = {rule.sign for rule, _ in hits if rule.sign}
    red = [(rule, level) for rule, level in hits if level is Risk.red]
    together = len(signs) > 1
    risk = Risk.red if red or together else Risk.amber
    kinds = {rule.kind for rule, _ in (red or hits)}
    kind = RiskKind.suicide if together and not red else next(kind for kind in _URGENCY if kind in kinds)
    why = [f"risk:{rule.id}" for rule, _ in sorted(hits, key=lambda hit: (-hit[1].level, hit[0].id))]
    return Alarm(risk, kind, tuple(why[:6]))


# ------------------------------------------------------------------ reading the files


def key_of(language: str) -> Callable[[str], str]:
    """How a language's words are written in patterns and texts alike."""
    return _greek_key if language == "el" else _plain_key


@lru_cache(8192)
def _greek_key(word: str) -> str:
    """Pattern words repeat; only words of the files come here, never a citizen's."""
    return fold(word)


@lru_cache(8192)
def _plain_key(word: str) -> str:
    return plain(tidy(word))


def read_yaml(path: Path) -> dict[str, Any]:
    """One file; every value is a string, so that the word "no" stays a word."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    content: dict[str, Any] = yaml.load(path.read_bytes(), loader)  # noqa: S506  (makes strings only)
    return content


def _rules(content: dict[str, Any], language: str) -> Iterator[Rule]:
    for entry in content["rules"]:
        yield Rule(
            id=entry["id"],
            language=language,
            kind=RiskKind(entry["kind"]),
            level=Risk(entry["level"]),
            patterns=_strings(entry["pattern"]),
            unless=_strings(entry.get("unless", ())),
            examples=_strings(entry["examples"]),
            counter_examples=_strings(entry["counter_examples"]),
            past=entry.get("past") == "true",
            sign=entry.get("sign"),
            reviewer=None if entry["reviewer"] in ("null", "") else entry["reviewer"],
            note=entry.get("note", ""),
        )


def _strings(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _softeners(content: dict[str, Any], language: str) -> Softeners:
    key = key_of(language)
    return Softeners(
        frozenset(key(word) for word in content["negations"]),
        frozenset(key(word) for word in content["between"]),
        _either([compile_pattern(one, key).regex for one in content["history"]]),
        _either([compile_pattern(one, key).regex for one in content["now"]]),
    )


def _either(sources: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{source})" for source in sources)) if sources else None


def load_rules(folder: Path = FOLDER) -> list[Rule]:
    """All rules as written, for tests and for a printed list to be signed."""
    return [rule for path in sorted(folder.glob("*.yaml")) for rule in _rules(read_yaml(path), path.stem)]


@cache
def vocabulary() -> frozenset[str]:
    """The keys of all Greek words in patterns and examples: slips in them are put right."""
    found: set[str] = set()
    for rule in load_rules():
        if rule.language == "el":
            for pattern in (*rule.patterns, *rule.unless):
                found |= compile_pattern(pattern, fold).words
            found.update(
                key for text in (*rule.examples, *rule.counter_examples) for key in fold(text).split()
            )
    return frozenset(key for key in found if key.isalpha() and key.isascii())


@cache
def stems() -> frozenset[str]:
    """The keys of the Greek beginnings that patterns ask for (αυτοκτον*)."""
    compiled = (
        compile_pattern(pattern, fold)
        for rule in load_rules()
        if rule.language == "el"
        for pattern in rule.patterns
    )
    return frozenset(anchor.word for one in compiled for anchor in one.anchors if anchor.prefix)
