"""The numbers of the worst day (numbers.yaml), and what may be done with them: read, replaced, listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

FILE = Path(__file__).parent / "numbers.yaml"
KINDS = ("published", "derived", "assumed")


class NumbersError(ValueError):
    """A number without its origin."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number: where it is from, and which other values are tried."""

    value: Any
    kind: str
    source: str = ""
    why: str = ""
    vary: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of them; `numbers["red_share"]` is the value."""

    known: Mapping[str, Number]

    def __getitem__(self, name: str) -> Any:
        return self.known[name].value

    def but(self, **others: Any) -> Numbers:
        """The same with other values."""
        changed = {name: replace(self.known[name], value=value) for name, value in others.items()}
        return Numbers({**self.known, **changed})

    def hours(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Shares of 48 half hours that sum to 1."""
        told = self[name]
        if isinstance(told, list):
            shares = np.repeat(np.array(told, dtype=float), 2)
        else:
            middle = np.arange(48) / 2 + 0.25
            shares = told["mean"] + told["swing"] * np.cos((middle - told["top"]) * 2 * np.pi / 24)
        total: np.ndarray[Any, np.dtype[np.float64]] = shares / shares.sum()
        return total


def load_numbers(path: Path = FILE) -> Numbers:
    """Reads the table. Raises NumbersError for a number that does not say where it is from."""
    known = {name: _number(name, told) for name, told in yaml.safe_load(path.read_text("utf-8")).items()}
    return Numbers(known)


def _number(name: str, told: dict[str, Any]) -> Number:
    number = Number(**{**told, "vary": tuple(told.get("vary", ()))})
    if number.kind not in KINDS:
        raise NumbersError(f"{name}: {number.kind} is none of {', '.join(KINDS)}")
    if number.kind == "assumed" and not number.why:
        raise NumbersError(f"{name}: an assumption says why")
    if number.kind != "assumed" and not number.source:
        raise NumbersError(f"{name}: what was published has a source")
    return number
