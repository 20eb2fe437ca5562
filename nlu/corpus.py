"""The training phrases: Rasa 3 YAML files in nlu/data, one topic and language per file.

A typed phrase is one family; near copies of it share the family, so that a phrase is never
measured on its own twin.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from nlu.normalise import fold

HERE = Path(__file__).parent
DATA = HERE / "data"
TWIN = 0.7
"""Share of common words from which two phrases of one intent count as twins."""

_ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True, slots=True)
class Example:
    """One typed phrase with what it means."""

    text: str
    intent: str
    language: str
    family: str


def digest(folder: Path = DATA) -> str:
    """SHA-256 of all data files, names included: the model carries it."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.yml")):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def read(folder: Path = DATA) -> list[Example]:
    """All phrases, in file order; the file's name ends in its language (services_el.yml)."""
    found: list[tuple[str, str, str]] = []
    for path in sorted(folder.glob("*.yml")):
        language = path.stem.rsplit("_", 1)[1]
        found.extend((text, intent, language) for intent, text in phrases(path))
    families = _families(found)
    return [Example(text, intent, language, families[i]) for i, (text, intent, language) in enumerate(found)]


def phrases(path: Path) -> Iterator[tuple[str, str]]:
    """(intent, phrase) of one Rasa file, entity marks taken off."""
    content = yaml.load(path.read_bytes(), getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506
    for block in content["nlu"]:
        for line in block["examples"].splitlines():
            if line.startswith("- "):
                yield block["intent"], _ENTITY.sub(r"\1", line[2:].strip())


def _families(found: Iterable[tuple[str, str, str]]) -> list[str]:
    """For each phrase the id of its family: the first phrase that is its twin, or itself."""
    seen: dict[tuple[str, str], list[tuple[frozenset[str], str]]] = {}
    families: list[str] = []
    for text, intent, language in found:
        bag = frozenset(fold(text).split())
        earlier = seen.setdefault((intent, language), [])
        own = hashlib.sha256(f"{language}|{text}".encode()).hexdigest()[:12]
        family = next((name for other, name in earlier if _alike(bag, other)), own)
        earlier.append((bag, family))
        families.append(family)
    return families


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two bags of words are nearly the same."""
    return len(a & b) >= TWIN * len(a | b) > 0
