"""The transcript language: what a line of a ```chat block means, and how a file is put together again.

Inputs are what people and the world do; every other line is an output, which the runner writes. See
docs/transcripts.md for the whole language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FENCE = re.compile(r"^```chat\n(?P<block>.*?)^```\n?", re.MULTILINE | re.DOTALL)


class ScriptError(ValueError):
    """A line that nobody understands, with its number."""


@dataclass(frozen=True, slots=True)
class Given:
    """given channel=viber language=el clock=...: how things stand before the first word."""

    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Citizen:
    """citizen: words / citizen taps: label / citizen photo: caption ..."""

    verb: str
    text: str


@dataclass(frozen=True, slots=True)
class Console:
    """console eleni: words / console eleni takes / console eleni closes: outcome"""

    person: str
    verb: str
    text: str


@dataclass(frozen=True, slots=True)
class Phone:
    """phone eleni: <key> | wrong | busy | voicemail | no answer | hangs up | link"""

    person: str
    deed: str


@dataclass(frozen=True, slots=True)
class Later:
    """+60s"""

    by: timedelta


@dataclass(frozen=True, slots=True)
class Fault:
    """! twilio 500, ! restart, ! duplicate"""

    words: tuple[str, ...]


Input = Given | Citizen | Console | Phone | Later | Fault

_CITIZEN_VERBS = (
    "says",
    "taps",
    "edits",
    "photo",
    "voice",
    "sticker",
    "file",
    "location",
    "contact",
    "opens",
    "blocks",
)
_CONSOLE_VERBS = ("says", "takes", "notes", "closes", "passes")
_LINES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Input]], ...] = (
    (re.compile(r"given\s+(?P<rest>.+)"), lambda m: Given(_pairs(m["rest"]))),
    (re.compile(r"citizen:\s?(?P<text>.*)"), lambda m: Citizen("says", m["text"])),
    (
        re.compile(rf"citizen (?P<verb>{'|'.join(_CITIZEN_VERBS)})(?::\s?(?P<text>.*))?"),
        lambda m: Citizen(m["verb"], m["text"] or ""),
    ),
    (
        re.compile(r"console (?P<person>\w+):\s?(?P<text>.*)"),
        lambda m: Console(m["person"], "says", m["text"]),
    ),
    (
        re.compile(rf"console (?P<person>\w+) (?P<verb>{'|'.join(_CONSOLE_VERBS)})(?::\s?(?P<text>.*))?"),
        lambda m: Console(m["person"], m["verb"], m["text"] or ""),
    ),
    (re.compile(r"phone (?P<person>\w+):\s?(?P<deed>.+)"), lambda m: Phone(m["person"], m["deed"].strip())),
    (
        re.compile(r"\+(?P<count>\d+)(?P<unit>[smhd])"),
        lambda m: Later(timedelta(**{_UNITS[m["unit"]]: int(m["count"])})),
    ),
    (re.compile(r"!\s?(?P<words>.+)"), lambda m: Fault(tuple(m["words"].split()))),
)
_INPUT_STARTS = ("given ", "citizen", "console ", "phone ", "+", "!")


def _pairs(text: str) -> dict[str, str]:
    values = dict(pair.partition("=")[::2] for pair in text.split())
    if not all(values.values()):
        raise ScriptError("given takes name=value pairs")
    return values


def read_line(line: str) -> Input | None:
    """The input that a line is, None for an output line. Raises ScriptError."""
    text = line.rstrip()
    if not text or not text.startswith(_INPUT_STARTS):
        return None
    for pattern, make in _LINES:
        if match := pattern.fullmatch(text):
            return make(match)
    raise ScriptError(f"not understood: {text}")


@dataclass(slots=True)
class Block:
    """One chat block: inputs with the outputs that follow each."""

    parts: list[tuple[str, list[str]]] = field(default_factory=list)

    def as_text(self) -> str:
        """The block as it stands in the file. A blank line before each citizen's turn eases reading."""
        lines: list[str] = []
        for text, outputs in self.parts:
            if lines and not text.startswith("given"):
                lines.append("")
            lines += [text, *outputs]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class Transcript:
    """A file: prose, and its chat blocks."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Transcript:
        return cls(path, path.read_text(encoding="utf-8"))

    def blocks(self) -> list[Block]:
        """The chat blocks. Raises ScriptError with file and line."""
        return [self._block(match) for match in _FENCE.finditer(self.text)]

    def _block(self, match: re.Match[str]) -> Block:
        block = Block()
        first = self.text[: match.start("block")].count("\n") + 1
        for number, line in enumerate(match["block"].splitlines(), first):
            try:
                is_input = read_line(line) is not None
            except ScriptError as error:
                raise ScriptError(f"{self.path.name}:{number}: {error}") from None
            if is_input:
                block.parts.append((line.rstrip(), []))
            elif line.strip():
                if not block.parts:
                    raise ScriptError(f"{self.path.name}:{number}: an output before any input")
                block.parts[-1][1].append(line.rstrip())
        return block

    def with_blocks(self, blocks: list[Block]) -> str:
        """The file's text with new blocks in place of the old ones."""
        fresh = iter(blocks)
        return _FENCE.sub(lambda _: f"```chat\n{next(fresh).as_text()}```\n", self.text)
