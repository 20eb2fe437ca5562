"""Puts right what a spelling rule cannot: ambiguous Greeklish, typing slips, words run together.

A lexicon knows Greek words by their key (`normalise.fold`). A word that it knows is left alone, so
that no ordinary word is bent into an alarming one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from nlu.normalise import PLAIN_HABIT, Habit, fold_word, is_latin, readings

FUZZY_FROM = 5
"""Shorter keys have too many neighbours to guess a slip."""
DOUBLE_FROM = 8
"""From this length two slips still leave a word of danger recognisable."""
SPLIT_FROM = 8
SPLIT_TO = 120
"""A longer string without spaces is noise; the limit keeps the work linear."""
HABIT = 0.7
"""What the reading by the writer's own habit is worth against a commoner word."""
SHARED = 2.5
"""The cost of a letter that ends one word and begins the next: the key writes doubles once."""
_LONGEST = 16


def _deletes(key: str) -> set[str]:
    """The key with each one letter missing."""
    return {key[:i] + key[i + 1 :] for i in range(len(key))}


def _double_deletes(key: str) -> set[str]:
    """The key with none, one or two letters missing."""
    once = _deletes(key)
    return {key, *once, *(part for one in once for part in _deletes(one))}


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


def _two_slips(a: str, b: str) -> bool:
    """Whether at most two letters added, lost, changed or swapped turn a into b."""
    rows = [list(range(len(b) + 1))]
    for i, one in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (one != other))
            if i > 1 and j > 1 and one == b[j - 2] and a[i - 2] == other:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1] <= 2


@dataclass(slots=True)
class Lexicon:
    """Known keys with their weight (log frequency, larger is commoner) and the domain's own words.

    danger: words of the risk patterns. A long one is recognised through two slips, because a slip
    may break or make a digraph (αυτο, ατυο) and a missed alarm is dearer than a false one.
    """

    known: Mapping[str, float]
    domain: frozenset[str]
    danger: frozenset[str] = frozenset()
    _slips: dict[str, str] = field(default_factory=dict)  # part -> the keys that have it, blanks between
    _double_slips: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in sorted(self.domain):
            if len(key) >= FUZZY_FROM:
                for part in (key, *_deletes(key)):
                    self._slips[part] = f"{self._slips[part]} {key}" if part in self._slips else key

        for key in sorted(self.danger):
            if len(key) >= DOUBLE_FROM:
                for part in _double_deletes(key):
                    known = self._double_slips.get(part)
                    self._double_slips[part] = f"{known} {key}" if known else key

    def repair(
        self,
        parts: Iterable[str],
        habit: Habit = PLAIN_HABIT,
        prefer: Container[str] = (),
        slips: bool = True,
    ) -> list[str]:
        """The keys of tidied words (Greek or Greeklish), put right.

        `prefer`: words that an ambiguous Greeklish word is read as when it may be one of them.
        `slips`: whether unknown words are guessed; not for a text that is surely another language.
        """
        keys: list[str] = []
        for part in parts:
            key = fold_word(part, habit)
            if key in self.known and not is_latin(part):
                keys.append(key)
            else:
                best = self._likeliest(part, key, habit, prefer)
                keys.extend(self._mend(best) if slips else [best])
        return keys

    def _mend(self, key: str) -> list[str]:
        """An unknown word: a known neighbour, or several words run together."""
        if key in self.known or not key.isalpha():
            return [key]
        if near := self._neighbour(key):
            return [near]
        return self._split(key) or [key]

    def _likeliest(self, part: str, key: str, habit: Habit, prefer: Container[str]) -> str:
        """Of the keys that a Greeklish word may have, the commonest word; the writer's habit counts."""
        if not is_latin(part):
            return key
        weights = {option: self.known.get(option, -1.0) for option in readings(part, habit)}
        if wanted := {option: weight for option, weight in weights.items() if option in prefer}:
            weights = wanted
        elif weights[key] >= 0:
            weights[key] += HABIT
        best = max(weights, key=lambda option: weights[option])
        return best if weights[best] >= 0 else key

    def _neighbour(self, key: str) -> str | None:
        """The commonest domain word one slip away."""
        if len(key) < FUZZY_FROM - 1 or len(key) > _LONGEST + 4:
            return None
        found = {near for part in (key, *_deletes(key)) for near in self._slips.get(part, "").split()}
        near = [option for option in found if _one_slip(key, option)]
        if not near and len(key) >= DOUBLE_FROM - 1:
            far = {one for part in _double_deletes(key) for one in self._double_slips.get(part, "").split()}
            near = [option for option in far if _two_slips(key, option)]
        return max(near, key=lambda option: (self.known.get(option, 0.0), option), default=None)

    def _split(self, key: str) -> list[str]:
        """Words run together, cut where all parts are known; empty when there is no such cut."""
        if not SPLIT_FROM <= len(key) <= SPLIT_TO:
            return []
        best: list[tuple[float, list[str]] | None] = [(0.0, []), *([None] * len(key))]
        for end in range(1, len(key) + 1):
            for start in range(max(0, end - _LONGEST), end):
                for shared in (0, 1) if 0 < start < end - 1 else (0,):
                    before, part = best[start], self._part(key[start - shared : end])
                    if before is None or part is None:
                        continue
                    score = before[0] + part[1] - SHARED * shared
                    if (current := best[end]) is None or score > current[0]:
                        best[end] = (score, [*before[1], part[0]])
        final = best[len(key)]
        return final[1] if final else []

    def _part(self, part: str) -> tuple[str, float] | None:
        """A known word with its worth; short ones must be very common.

        After a vowel β is written like φ (να βάλω), so a part that begins with F may begin with V.
        """
        weight = self.known.get(part)
        if weight is None and part[0] == "F":
            part = "V" + part[1:]
            weight = self.known.get(part)
        if weight is None or weight < _LEAST_WEIGHT.get(len(part), 2.0):
            return None
        return part, weight - PART


PART = 9.5
"""What every further word costs: few long words are likelier than many short ones."""
_LEAST_WEIGHT = {1: 6.2, 2: 5.2, 3: 4.6, 4: 3.6}
"""Zipf weight that a short part needs: rare short words would cut anything."""
