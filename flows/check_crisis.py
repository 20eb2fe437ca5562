"""Checks of the crisis flow: the first screen of every kind of danger carries the numbers, nothing hides
them behind a menu, and silence never ends it without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flows.engine import step
from flows.events import Asked, PageNeeded, Said
from flows.model import Ask, Collect, End, Flow, Go, Library
from flows.problems import CHECK_TIME, Problem, at_flow
from flows.render import LAST_RESORT
from flows.session import Context, Fact, Session, Stimulus, StimulusKind
from flows.walk import Heard

KINDS = (None, "suicide", "self_harm", "violence", "child", "threat", "medical")
EMERGENCY = ("112", "166")
LINES: Mapping[str | None, tuple[str, ...]] = {
    "violence": ("15900", "100", "1018", "10306"),
    "child": ("1056", "116111", "1018", "10306"),
    "medical": ("166", "112"),
    "threat": ("100", "112", "1018", "10306"),
}
# without a profile a fact stands for the number that it has in every Greek town
STAND_INS = {
    **LAST_RESORT,
    "hotline.women": "15900",
    "hotline.children": "1056",
    "hotline.teens": "116111",
}


def crisis_problems(library: Library, facts: Mapping[str, Fact] | None) -> Iterator[Problem]:
    """What is wrong with the crisis flow, or that there is none."""
    flow = library.flows.get("crisis")
    if flow is None:
        yield Problem("crisis/flow.yaml", 1, "there is no crisis flow")
        return
    known = facts or {name: Fact(value, sure=True, dialable=True) for name, value in STAND_INS.items()}
    for language in library.languages:
        for kind in KINDS:
            for on_call in (True, False):
                yield from _first_text(library, flow, known, language, kind, on_call)
    yield from _silent_ends(flow)
    yield from _unreviewed(library)


def _first_text(
    library: Library, flow: Flow, facts: Mapping[str, Fact], language: str, kind: str | None, on_call: bool
) -> Iterator[Problem]:
    session = Session(language=language, language_chosen=True, greeted=True)
    heard = Heard(language=language, risk="red", risk_kind=kind)
    context = Context(CHECK_TIME, "CHECK-0", facts, on_call=on_call, office_open=False)
    events = step(library, session, Stimulus(StimulusKind.said, "x", heard), context).events
    where = f"{kind or 'red without a kind'}, {'someone' if on_call else 'nobody'} on call, {language}"
    if not any(isinstance(event, PageNeeded) for event in events):
        yield Problem(flow.file, flow.line, f"a red message does not page ({where})")
    first = next((event.text for event in events if isinstance(event, Said | Asked)), "")
    if not any(number in first for number in EMERGENCY):
        yield Problem(flow.file, flow.line, f"the first text has neither 112 nor 166 ({where})")
    if not any(number in first for number in LINES.get(kind, ("1018", "10306"))):
        yield Problem(
            flow.file, flow.line, f"the first text has no line that answers day and night ({where})"
        )


def _silent_ends(flow: Flow) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        if isinstance(node, Ask | Collect) and node.timeout and _ends(flow, node.timeout.to):
            yield at_flow(
                flow, node, f"silence at node {name} ends the crisis flow without a word", "warning"
            )


def _ends(flow: Flow, name: str, depth: int = 10) -> bool:
    node = flow.nodes.get(name)
    if isinstance(node, Go) and depth:
        return any(_ends(flow, route.to, depth - 1) for route in node.routes)
    return isinstance(node, End)


def _unreviewed(library: Library) -> Iterator[Problem]:
    for language in library.languages:
        messages = library.messages.get(("crisis", language), {})
        drafts = sum(not message.reviewed for key, message in messages.items() if key != "name")
        if drafts:
            sentence = f"{drafts} crisis texts wait for a clinician's approval"
            yield Problem(f"crisis/{language}.yaml", 1, sentence, "warning")
