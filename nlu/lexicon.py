"""Puts right what a spelling rule cannot: ambiguous Greeklish, typing slips, words run together.

A lexicon knows Greek words by their key (`normalise.fold`). A word that it knows is left alone, so
that no ordinary word is bent into an alarming one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nlu.normalise import PLAIN_HABIT, Habit, fold_word, is_latin, readings

FUZZY_FROM = 5
"""Shorter keys have too many neighbours to guess a slip."""
SPLIT_FROM = 8
SPLIT_TO = 120
"""A longer string without spaces is noise; the limit keeps the work linear."""
SHARED = 2.5
"""The cost of a letter that ends one word and begins the next: the key writes doubles once."""
_LONGEST = 16


def _deletes(key: str) -> set[str]:
    """The key with each one letter missing."""
    return {key[:i] + key[i + 1 :] for i in range(len(key))}


def _one_slip(a: str, b: str) -> bool:
    """Whether one letter added, lost, changed, or two swapped turn a into b."""
    if abs(len(a) - len(b)) > 1:
        return False
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    rest_a, rest_b = a[i:], b[i:]
    if rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]:
        return True
    return rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]


@dataclass(slots=True)
class Lexicon:
    """Known keys with their weight (log frequency, larger is commoner) and the domain's own words."""

    known: Mapping[str, float]
    domain: frozenset[str]
    _slips: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in sorted(self.domain):
            if len(key) >= FUZZY_FROM:
                for part in (key, *_deletes(key)):
                    self._slips.setdefault(part, []).append(key)

    def repair(self, parts: Iterable[str], habit: Habit = PLAIN_HABIT) -> list[str]:
        """The keys of tidied words (Greek or Greeklish), put right."""
        keys: list[str] = []
        for part in parts:
            key = fold_word(part, habit)
            if key in self.known and not is_latin(part):
                keys.append(key)
            else:
                keys.extend(self._mend(part, key, habit))
        return keys

    def _mend(self, part: str, key: str, habit: Habit) -> list[str]:
        """One word: another reading of it, a known neighbour, or several words run together."""
        best = self._likeliest(part, key, habit)
        if best in self.known or not best.isalpha():
            return [best]
        if near := self._neighbour(best):
            return [near]
        return self._split(best) or [best]

    def _likeliest(self, part: str, key: str, habit: Habit) -> str:
        """Of the keys that a Greeklish word may have, the commonest word; the writer's habit counts."""
        if not is_latin(part):
            return key
        weights = {option: self.known.get(option, -1.0) for option in readings(part, habit)}
        weights[key] += 1.5 if weights[key] >= 0 else 0.0
        best = max(weights, key=lambda option: weights[option])
        return best if weights[best] >= 0 else key

    def _neighbour(self, key: str) -> str | None:
        """The commonest domain word one slip away."""
        if len(key) < FUZZY_FROM - 1 or len(key) > _LONGEST + 4:
            return None
        found = {near for part in (key, *_deletes(key)) for near in self._slips.get(part, ())}
        near = [option for option in found if _one_slip(key, option)]
        return max(near, key=lambda option: (self.known.get(option, 0.0), option), default=None)

    def _split(self, key: str) -> list[str]:
        """Words run together, cut where all parts are known; empty when there is no such cut."""
        if not SPLIT_FROM <= len(key) <= SPLIT_TO:
            return []
        best: list[tuple[float, list[str]] | None] = [(0.0, []), *([None] * len(key))]
        for end in range(1, len(key) + 1):
            for start in range(max(0, end - _LONGEST), end):
                for shared in (0, 1) if 0 < start < end - 1 else (0,):
                    before, weight = best[start], self._part_weight(key[start - shared : end])
                    if before is None or weight is None:
                        continue
                    score = before[0] + weight - SHARED * shared
                    if (current := best[end]) is None or score > current[0]:
                        best[end] = (score, [*before[1], key[start - shared : end]])
        final = best[len(key)]
        return final[1] if final else []

    def _part_weight(self, part: str) -> float | None:
        """The cost of one part; short parts must be very common words."""
        weight = self.known.get(part)
        if weight is None or weight < _LEAST_WEIGHT.get(len(part), 2.0):
            return None
        return weight - 8.5


_LEAST_WEIGHT = {1: 6.2, 2: 5.2, 3: 4.6, 4: 3.6}
"""Zipf weight that a short part needs: rare short words would cut anything."""
