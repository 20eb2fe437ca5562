"""A TwiML document taken apart: verbs in order, comments kept, faults as Twilio's own error codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

VERBS = {"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Dial", "Record", "Enqueue", "Reject"}
PARSE_FAILURE, WRONG_ROOT, UNKNOWN_VERB = 12100, 12102, 12200
KEY = re.compile(
    r"(?:press|πατήστε(?:\s+το)?|patiste(?:\s+to)?)[\s\-_]*(\d)|\bkey\s*=\s*(\d)", re.IGNORECASE | re.UNICODE
)


class TwimlError(Exception):
    """A document that cannot be played; `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Verb:
    """One verb with its attributes, its own text and the verbs or nouns inside."""

    name: str
    attributes: dict[str, str]
    text: str
    inside: list[Verb] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    def seconds(self, name: str, default: float) -> float:
        """An attribute that is a number of seconds; "auto" and other words mean the default."""
        value = self.attributes.get(name, "")
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else default


@dataclass(slots=True)
class Document:
    """The verbs of a Response, and its comments from anywhere."""

    verbs: list[Verb]
    comments: list[str]


def parse(body: str | bytes) -> Document:
    """Raises TwimlError when it is no TwiML or uses an unknown verb."""
    builder = ElementTree.TreeBuilder(insert_comments=True)
    try:
        root = ElementTree.fromstring(body, ElementTree.XMLParser(target=builder))
    except ElementTree.ParseError as error:
        raise TwimlError(PARSE_FAILURE, f"Document parse failure: {error}") from None
    if root.tag != "Response":
        raise TwimlError(WRONG_ROOT, "The root element must be Response")
    comments = [(node.text or "").strip() for node in root.iter() if not isinstance(node.tag, str)]
    document = Document([_verb(node) for node in root if isinstance(node.tag, str)], comments)
    for verb in document.verbs:
        if verb.name not in VERBS | {"Message"}:
            raise TwimlError(UNKNOWN_VERB, f"{verb.name} is not a TwiML verb")
    return document


def _verb(node: ElementTree.Element) -> Verb:
    inside = [_verb(child) for child in node if isinstance(child.tag, str)]
    text = " ".join("".join(_texts(node)).split())
    return Verb(str(node.tag), dict(node.attrib), text, inside)


def _texts(node: ElementTree.Element) -> list[str]:
    """All text of a verb, SSML tags melted away, comments left out."""
    parts = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str):
            parts += _texts(child)
        parts.append(child.tail or "")
    return parts


def announced_keys(texts: list[str]) -> list[str]:
    """The keys that these words, file names or comments ask for, in order, each once."""
    found = [first or second for text in texts for first, second in KEY.findall(text)]
    return list(dict.fromkeys(found))
