"""Checks of texts: present in every language, placeholders that exist, facts that may be said, buttons
that fit on a phone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from flows.eligibility import RULES
from flows.model import Ask, Change, Check, Collect, Enter, Flow, Library, Message
from flows.problems import Problem, at_text
from flows.render import KNOWN, facts, placeholders
from flows.session import Fact

LABEL = 20  # longer ones are cut off on the small screens of Viber
BUTTONS = ("human", "back", "start_again", "stop", "skip", "yes", "no", "resume", "menu")
SPOKEN = (
    "hello", "not_understood", "misses_offer_human", "unknown_button", "invalid_text", "invalid_name",
    "invalid_count", "invalid_money", "invalid_phone", "invalid_place", "invalid_age_band", "invalid_date",
    "invalid_time", "invalid_district", "invalid_supply_number", "too_long", "switch_question",
    "resume_question", "nothing_back", "language_switched", "choose_language", "human_queue_on",
    "human_queue_off", "human_joined", "handed_back", "closed", "noted", "file_received", "voice_received",
    "location_received", "phone_received", "edited_noted", "stopped", "thanks", "no_flow",
    "nothing_to_change", "unsure", "fact_missing", "progress", "place_on_map", "no_tickets", "status_open",
    "status_assigned", "status_waiting", "status_closed", "lost",
)  # fmt: skip
CRISIS = (
    "joined", "exhausted", "contact_missed", "holding", "holding_exhausted", "heard", "stopped", "closed",
)  # fmt: skip


def text_problems(
    library: Library, known: Mapping[str, Fact] | None, must_name: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Everything that is wrong with texts. `must_name`: facts that the profile wants in a text, by key."""
    yield from _missing(library)
    yield from _silent(library, must_name)
    for (flow_name, language), messages in library.messages.items():
        for key, message in messages.items():
            flow = library.flows.get(flow_name)
            yield from _labels(message)
            yield from _placeholders(library, flow, key, message)
            yield from _facts(message, known)
        if flow_name == "common":
            yield from _own_buttons(messages, language)


def _needed(library: Library) -> Iterator[tuple[str, str]]:
    """(flow, key) of every text that something uses."""
    for flow in library.flows.values():
        yield flow.name, "name"
        for node in flow.nodes.values():
            if (text := getattr(node, "text", None)) is not None:
                yield flow.name, text
            if isinstance(node, Collect) and node.invalid:
                yield flow.name, node.invalid
            if isinstance(node, Check):
                yield from ((flow.name, f"because_{name}") for name in _reasons(node.rule))
    yield from (("common", key) for key in (*BUTTONS, *SPOKEN))
    if "crisis" in library.flows:
        yield from (("crisis", key) for key in CRISIS)


def _reasons(rule: str) -> Iterator[str]:
    for condition in RULES[rule].conditions:
        yield from (condition.name, f"not_{condition.name}", f"unknown_{condition.name}")


def _missing(library: Library) -> Iterator[Problem]:
    for flow, key in dict.fromkeys(_needed(library)):
        for language in library.languages:
            message = library.messages.get((flow, language), {}).get(key)
            file = f"{flow}/{language}.yaml"
            if message is None:
                yield Problem(file, 1, f"the text {key} is missing")
            else:
                yield from _missing_parts(library, library.flows.get(flow), key, message)


def _missing_parts(library: Library, flow: Flow | None, key: str, message: Message) -> Iterator[Problem]:
    summarised = flow is not None and _summarises(library, flow)
    for node in flow.nodes.values() if flow else ():
        if getattr(node, "text", None) != key:
            continue
        if isinstance(node, Ask):
            for option in node.options.keys() - message.options.keys():
                yield at_text(message, f"the text {key} has no label for the option {option}")
        if summarised and getattr(node, "slot", None) and message.short is None:
            yield at_text(message, f"the text {key} has no short: the summary needs a name for it", "warning")


def _summarises(library: Library, flow: Flow) -> bool:
    """Whether a flow ever lists its answers by name."""
    texts = [
        message.text
        for (name, _), messages in library.messages.items()
        for message in messages.values()
        if name == flow.name
    ]
    changes = any(isinstance(node, Change) for node in flow.nodes.values())
    return changes or any("summary" in placeholders(text) for text in texts)


def _silent(library: Library, must_name: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    """Texts that leave out a number which the profile wants the citizen to be given there."""
    for key, wanted in must_name.items():
        flow, _, name = key.partition(".")
        for language in library.languages:
            message = library.messages.get((flow, language), {}).get(name)
            if message is None:
                yield Problem(
                    f"{flow}/{language}.yaml", 1, f"the profile wants a text {name}, which is missing"
                )
                continue
            spoken = message.unsure or message.text
            for fact in sorted(set(wanted) - set(facts(spoken))):
                yield at_text(message, f"the text {name} has to name {fact}, as the profile says")


def _labels(message: Message) -> Iterator[Problem]:
    for option in message.options.values():
        if len(option.label) > LABEL:
            yield at_text(message, f"the label «{option.label}» is longer than {LABEL} characters", "warning")
    seen: dict[str, str] = {}
    for value, option in message.options.items():
        if option.label in seen:
            yield at_text(message, f"the options {seen[option.label]} and {value} have the same label")
        seen[option.label] = value


def _own_buttons(messages: Mapping[str, Message], language: str) -> Iterator[Problem]:
    for name in BUTTONS:
        message = messages.get(name)
        if message and len(message.text) > LABEL:
            yield at_text(message, f"the button {name} is longer than {LABEL} characters", "warning")


def _placeholders(library: Library, flow: Flow | None, key: str, message: Message) -> Iterator[Problem]:
    slots = _slots(library, flow)
    for template in (message.text, message.unsure, message.invalid):
        for name in placeholders(template or ""):
            head, _, tail = name.partition(":")
            if head == "answer" and tail not in slots:
                yield at_text(message, f"the text {key} names the answer {tail}, which nobody asks for")
            elif head not in {"answer", "fact"} and name not in KNOWN:
                yield at_text(message, f"the text {key} has the unknown placeholder {name}")


def _slots(library: Library, flow: Flow | None) -> set[str]:
    """Slots of a flow and of the flows that it enters or that enter it, for those share their answers."""
    if flow is None:
        return set()
    names = {node.flow for node in flow.nodes.values() if isinstance(node, Enter)} | {flow.name}
    flows = [library.flows[name] for name in names if name in library.flows]
    flows += [
        other
        for other in library.flows.values()
        if any(isinstance(node, Enter) and node.flow == flow.name for node in other.nodes.values())
    ]
    return {slot for one in flows for node in one.nodes.values() if (slot := getattr(node, "slot", None))}


def _facts(message: Message, known: Mapping[str, Fact] | None) -> Iterator[Problem]:
    if facts(message.text) and message.unsure is None:
        yield at_text(message, "a text with facts needs an unsure form")
    if known is None:
        return
    for name in facts(message.text):
        if name not in known:
            yield at_text(message, f"the profile has no fact {name}")
    for name in facts(message.unsure or ""):
        fact = known.get(name)
        if fact is None or not (fact.sure or fact.dialable):
            yield at_text(message, f"the unsure form names {name}, which may not be said for sure")
