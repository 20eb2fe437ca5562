"""YAML with line numbers: mappings and scalars that know where they stand, and a list for complaints.

PyYAML's composed nodes are kept as they are, so `yes:` stays the word yes and 24:00 stays text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null"})


class FlowError(ValueError):
    """A library that cannot be used. `errors` are all of them, each "file:line: sentence"."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass(slots=True)
class Complaints:
    """Collects errors of one library, so that its author sees all of them at once."""

    errors: list[tuple[str, int, str]] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # files of which nothing is known

    def add(self, file: str, line: int, sentence: str) -> None:
        """One more error."""
        self.errors.append((file, line, sentence))

    def raise_if_any(self) -> None:
        """Raises FlowError with everything collected, in the order of files and lines."""
        if self.errors:
            found = sorted(set(self.errors))
            raise FlowError(tuple(f"{file}:{line}: {sentence}" for file, line, sentence in found))


@dataclass(frozen=True, slots=True)
class Value:
    """A place in a YAML file: a scalar, a list or a mapping."""

    node: yaml.Node
    file: str
    complaints: Complaints
    key: yaml.Node | None = None  # its key in the mapping around it

    @property
    def line(self) -> int:
        """Where its key stands, counted from 1 as editors do."""
        return int((self.key or self.node).start_mark.line) + 1

    def wrong(self, sentence: str) -> None:
        """Complains about this place."""
        self.complaints.add(self.file, self.line, sentence)

    @property
    def is_mapping(self) -> bool:
        """True for {key: value}."""
        return isinstance(self.node, yaml.MappingNode)

    def text(self, what: str) -> str:
        """A scalar as it is written; complains and gives "" for anything else."""
        if isinstance(self.node, yaml.ScalarNode):
            return str(self.node.value)
        self.wrong(f"{what} must be one text")
        return ""

    def number(self, what: str) -> float | None:
        """A number; complains and gives None for anything else."""
        try:
            return float(self.text(what))
        except ValueError:
            self.wrong(f"{what} must be a number")
            return None

    def flag(self, what: str) -> bool:
        """true or false."""
        word = self.text(what)
        if word not in {"true", "false"}:
            self.wrong(f"{what} must be true or false")
        return word == "true"

    def items(self, what: str) -> dict[str, Value]:
        """A mapping; complains about double keys and about anything that is no mapping."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.value in _NULL:
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(f"{what} must be a list of keys with values")
            return {}
        return self._pairs(self.node, what)

    def _pairs(self, node: yaml.MappingNode, what: str) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = Value(key_node, self.file, self.complaints)
            name = key.text(f"a key of {what}")
            if name in found:
                key.wrong(f"{what} has {name} twice")
            found[name] = Value(value_node, self.file, self.complaints, key_node)
        return found

    def elements(self, what: str) -> Iterator[Value]:
        """A list; complains about anything else."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(f"{what} must be a list")
            return
        for child in self.node.value:
            yield Value(child, self.file, self.complaints)

    def texts(self, what: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(child.text(f"each of {what}") for child in self.elements(what))


def read(path: Path, name: str, complaints: Complaints) -> Value | None:
    """The root of a file; None with a complaint where it is not YAML, is empty or is not UTF-8."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        complaints.add(name, mark.line + 1 if mark else 1, f"this is not YAML: {problem}")
        complaints.unread.add(name)
        return None
    except (OSError, UnicodeDecodeError):
        complaints.add(name, 1, "the file cannot be read as UTF-8 text")
        complaints.unread.add(name)
        return None
    if root is None:
        complaints.add(name, 1, "the file is empty")
        return None
    return Value(root, name, complaints)
