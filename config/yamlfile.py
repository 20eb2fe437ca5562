"""Reads one YAML file and remembers the line of every value.

A person who edits the profile is told the file and the line of every mistake, all at once.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]


class YamlError(ValueError):
    """A file that cannot be read at all. `problems` are ready to print, each with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The data of one file and where each value stands."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def where(self, place: Place) -> str:
        """`file:line` of a value, or of the nearest thing around it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path.name}:{self.lines.get(place, 1)}"


def read_yaml(path: Path) -> YamlFile:
    """Reads a file. Raises YamlError for a missing file, broken YAML and keys written twice."""
    loader = yaml.CSafeLoader(_text(path))
    try:
        node = loader.get_single_node()
        lines, twice = _walk(node)
        if twice:
            raise YamlError([f"{path.name}:{line}: the key '{key}' is written twice" for key, line in twice])
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise YamlError([_syntax(path, error)]) from error
    finally:
        loader.dispose()
    return YamlFile(path, data, lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise YamlError([f"{path.name}:1: this file is missing in {path.parent}"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise YamlError([f"{path.name}:1: this file cannot be read as UTF-8 text"]) from error


def _syntax(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or "this is not YAML"
    return f"{path.name}:{line}: {problem}"


def _walk(node: yaml.Node | None) -> tuple[dict[Place, int], list[tuple[str, int]]]:
    lines: dict[Place, int] = {}
    twice: list[tuple[str, int]] = []
    waiting: list[tuple[Place, yaml.Node]] = [] if node is None else [((), node)]
    while waiting:
        place, here = waiting.pop()
        lines.setdefault(place, here.start_mark.line + 1)
        for key, child, line in _children(here):
            inner = (*place, key)
            if inner in lines:
                twice.append((str(key), line))
            lines[inner] = line
            waiting.append((inner, child))
    return lines, twice


def _children(node: yaml.Node) -> list[tuple[str | int, yaml.Node, int]]:
    if isinstance(node, yaml.MappingNode):
        return [(_key(key), value, key.start_mark.line + 1) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(i, item, item.start_mark.line + 1) for i, item in enumerate(node.value)]
    return []


def _key(node: yaml.Node) -> str:
    value: Hashable = node.value
    return value if isinstance(value, str) else str(value)
