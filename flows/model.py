"""The grammar of a flow: one frozen class a verb, and the library that holds flows and texts.

Loaded once at start by flows.load; nothing here changes afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")
FALLBACK_LANGUAGES = ("en", "el")
SLOT_TYPES = (
    "text", "name", "count", "money", "phone", "place",
    "age_band", "date", "time", "district", "supply_number",
)  # fmt: skip
ACTIONS = ("open_ticket", "request_human", "page", "raise_risk", "add_answers", "resume")


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long to wait for an answer, and where to go then."""

    after: timedelta
    to: str


@dataclass(frozen=True, slots=True)
class Say:
    """One text; goes on."""

    text: str
    then: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with buttons. An option without a target goes to `then`."""

    text: str
    options: Mapping[str, str]
    slot: str | None = None
    timeout: Timeout | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Collect:
    """A typed slot by free text."""

    text: str
    slot: str
    type: str
    then: str
    min: float | None = None
    max: float | None = None
    optional: bool = False
    invalid: str | None = None
    location: bool = False
    timeout: Timeout | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Offers the answers given so far; the flow is replayed up to `then`."""

    text: str
    then: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """`predicate` None always holds."""

    predicate: str | None
    to: str


@dataclass(frozen=True, slots=True)
class Go:
    """The first route whose predicate holds."""

    routes: tuple[Route, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Do:
    """One of ACTIONS; risk and kind belong to raise_risk."""

    action: str
    then: str
    risk: str | None = None
    kind: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """An eligibility rule; `then` has likely, unlikely, unsure."""

    rule: str
    then: Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Enter:
    """Another flow; comes back to `then`."""

    flow: str
    then: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """The flow is over."""

    outcome: str
    line: int = 0


Node = Say | Ask | Collect | Change | Go | Do | Check | Enter | End
Wait = Ask | Collect | Change


def targets(node: Node) -> tuple[str, ...]:
    """Every node of the same flow that may come next, in the order of the file."""
    match node:
        case Ask(options=options):
            found = list(options.values())
        case Go(routes=routes):
            found = [route.to for route in routes]
        case Check(then=then):
            found = list(then.values())
        case End():
            found = []
        case _:
            found = [node.then]
    if isinstance(node, Ask | Collect) and node.timeout:
        found.append(node.timeout.to)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation: its nodes and how it begins."""

    name: str
    nodes: Mapping[str, Node]
    start: str
    topic: str
    starts_on: tuple[str, ...] = ()
    timeout: Timeout | None = None
    start_again: str | None = None
    start_amber: str | None = None
    file: str = ""
    line: int = 1

    def slot_node(self, slot: str) -> str | None:
        """The node that fills a slot; the first one where several do."""
        return next((name for name, node in self.nodes.items() if getattr(node, "slot", None) == slot), None)


@dataclass(frozen=True, slots=True)
class OptionText:
    """What a button says, and other words that mean the same."""

    label: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One text in one language."""

    text: str
    unsure: str | None = None
    invalid: str | None = None
    short: str | None = None
    options: Mapping[str, OptionText] = field(default_factory=dict)
    reviewed: bool = False
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Library:
    """Every flow and every text. `messages` is keyed by (flow, language)."""

    flows: Mapping[str, Flow]
    messages: Mapping[tuple[str, str], Mapping[str, Message]]
    languages: tuple[str, ...]
    intents: Mapping[str, str]
    _worked_out: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, key: tuple[Any, ...], work: Callable[[], T]) -> T:
        """What `work` gives, worked out once for each key: flows and texts do not change."""
        try:
            found: T = self._worked_out[key]
        except KeyError:
            found = self._worked_out[key] = work()
        return found

    def find(self, key: str, language: str) -> Message | None:
        """The message "flow.message" in a language, else in English, else in Greek."""
        flow, _, name = key.partition(".")
        for tongue in (language, *FALLBACK_LANGUAGES):
            message = self.messages.get((flow, tongue), {}).get(name)
            if message is not None:
                return message
        return None

    def text(self, key: str, language: str) -> str:
        """The template of a message, "" where no language has it."""
        message = self.find(key, language)
        return message.text if message else ""

    def label(self, key: str, option: str, language: str) -> str:
        """The label of one option, with the fallbacks of `find`; its value where nobody wrote one."""
        text = self.option(key, option, language)
        return text.label if text else option

    def option(self, key: str, option: str, language: str) -> OptionText | None:
        """One option's texts, with the fallbacks of `find`."""
        flow, _, name = key.partition(".")
        for tongue in (language, *FALLBACK_LANGUAGES):
            message = self.messages.get((flow, tongue), {}).get(name)
            if message is not None and option in message.options:
                return message.options[option]
        return None

    def node(self, flow: str | None, node: str | None) -> Node | None:
        """The node of a flow, None where either is unknown."""
        found = self.flows.get(flow or "")
        return found.nodes.get(node or "") if found else None
