"""A linear classifier that needs numpy alone: weights in 8 bits, a vocabulary, a temperature.

Trained in nlu/train.py with scikit-learn; stored as plain arrays, so that loading runs no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Found = NDArray[np.int64]


def join(strings: Iterable[str]) -> NDArray[np.uint8]:
    """Strings as one array of bytes (arrays of objects would need pickle)."""
    return np.frombuffer("\n".join(strings).encode(), dtype=np.uint8)


def split(stored: NDArray[Any]) -> list[str]:
    """The strings that `join` stored."""
    return stored.tobytes().decode().split("\n")


@dataclass(frozen=True, slots=True)
class LinearModel:
    """p = softmax(temperature * (idf-weighted, length-normalised counts @ weights * scale + bias)).

    Loaded weights stay in 8 bits with a scale for each label: a fourth of the memory."""

    labels: tuple[str, ...]
    vocabulary: Mapping[str, int]
    idf: Floats
    weights: NDArray[Any]
    bias: Floats
    temperature: float
    scale: Floats = field(default_factory=lambda: np.ones(1, np.float32))  # of the weights, for each label
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict)  # features of words, as numbers

    def scores(self, features: Iterable[str]) -> tuple[Floats, Found]:
        """Probability per label, and the known features that were found (as their numbers)."""
        get = self.vocabulary.get
        return self._scored([at for feature in features if (at := get(feature)) is not None])

    def scores_of(
        self, words: Sequence[str], spell: Callable[[str], Iterable[str]], *, pairs: bool
    ) -> tuple[Floats, Found]:
        """`scores` of what `spell` makes of each word and (with `pairs`) of each two neighbours.

        The numbers of a word are remembered if the training data has that very word: so the work is done
        once for the words that everybody uses, and nothing that only one citizen writes is kept."""
        get, known = self.vocabulary.get, self._known
        found: list[int] = []
        before = ""
        for word in words:
            if (numbers := known.get(word)) is None:
                spelt = list(spell(word))
                numbers = tuple(at for feature in spelt if (at := get(feature)) is not None)
                if spelt[0] in self.vocabulary:
                    known[word] = numbers
            found += numbers
            if pairs and before and (at := get(f"{before} {word}")) is not None:
                found.append(at)
            before = word
        return self._scored(found)

    def _scored(self, numbers: list[int]) -> tuple[Floats, Found]:
        if not numbers:
            return np.full(len(self.labels), 1 / len(self.labels), np.float32), np.empty(0, np.int64)
        counts: dict[int, int] = {}
        for at in numbers:
            counts[at] = counts.get(at, 0) + 1
        found = np.array(list(counts), np.int64)
        values = (1 + np.log(np.array(list(counts.values()), np.float32))) * self.idf[found]
        values *= self.temperature / np.sqrt(values @ values)
        votes = (values @ self.weights[found].astype(np.float32, copy=False)) * self.scale
        return softmax(votes + self.temperature * self.bias), found

    def reasons(self, found: Found, label: int, most: int = 3) -> list[int]:
        """The features that spoke loudest for a label."""
        strength = self.weights[found, label] * self.idf[found]  # a label's scale changes no order
        best = np.argsort(-strength)[:most]
        return [int(found[i]) for i in best if strength[i] > 0]

    def store(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays to save, their names beginning with `name`."""
        weights = self.weights * self.scale
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-6) / 127
        parts: dict[str, NDArray[Any]] = {
            "labels": join(self.labels),
            "vocabulary": join(self.vocabulary),
            "idf": self.idf.astype(np.float16),
            "weights": np.rint(weights / scale).astype(np.int8),
            "scale": scale.astype(np.float32),
            "bias": self.bias.astype(np.float32),
            "temperature": np.array(self.temperature, np.float32),
        }
        return {f"{name}_{part}": value for part, value in parts.items()}

    @classmethod
    def load(cls, name: str, stored: Mapping[str, NDArray[Any]]) -> LinearModel:
        """The model that `store` stored."""
        get = {part: stored[f"{name}_{part}"] for part in ("labels", "vocabulary", "idf", "weights", "scale")}
        return cls(
            tuple(split(get["labels"])),
            {word: at for at, word in enumerate(split(get["vocabulary"]))},
            get["idf"].astype(np.float32),
            get["weights"],
            stored[f"{name}_bias"].astype(np.float32),
            float(stored[f"{name}_temperature"]),
            get["scale"],
        )


def softmax(values: Floats) -> Floats:
    """Shares that sum to 1."""
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
