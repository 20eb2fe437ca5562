"""What can be proved about a library without talking to anybody.

The loader refuses what would strand a citizen; this finds what is unwise, unfinished or untranslated.
Errors have to be mended before a release, warnings are for the author's eye.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from flows.check_crisis import crisis_problems
from flows.check_texts import text_problems
from flows.commands import human
from flows.events import HumanRequested, Said
from flows.machine import Machine
from flows.model import Ask, Collect, End, Flow, Library, Wait, targets
from flows.problems import CHECK_TIME, Problem, at_flow
from flows.session import Context, Fact, Session, Stimulus, StimulusKind

__all__ = ["Problem", "check"]

Facts = Mapping[str, Fact]


def check(
    library: Library, facts: Facts | None = None, must_name: Mapping[str, Collection[str]] | None = None
) -> list[Problem]:
    """Every problem of a library, in the order of files and lines. With the facts of a profile, the texts
    are also checked against what may be said, and by `must_name` (text key -> fact ids) for what the
    profile wants said."""
    found: list[Problem] = []
    for flow in library.flows.values():
        for part in _PARTS:
            found.extend(part(library, flow))
    found.extend(text_problems(library, facts, must_name or {}))
    found.extend(crisis_problems(library, facts))
    return sorted(set(found), key=lambda p: (p.level != "error", p.file, p.line, p.sentence))


def _reach(flow: Flow) -> set[str]:
    waiting = [name for name in (flow.start, flow.start_again, flow.start_amber) if name]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in flow.nodes:
            seen.add(name)
            waiting.extend(targets(flow.nodes[name]))
    return seen


def _unreachable(_library: Library, flow: Flow) -> Iterator[Problem]:
    reached = _reach(flow)
    for name, node in flow.nodes.items():
        if name not in reached:
            yield at_flow(flow, node, f"nothing leads to node {name}")


def _dead_ends(_library: Library, flow: Flow) -> Iterator[Problem]:
    """A ring of nodes that never asks and never ends would use up the step's budget."""
    stops = {name for name, node in flow.nodes.items() if isinstance(node, Wait | End)}
    grown = True
    while grown:
        more = {n for n, node in flow.nodes.items() if n not in stops and set(targets(node)) & stops}
        stops |= more
        grown = bool(more)
    for name, node in flow.nodes.items():
        if name not in stops:
            yield at_flow(flow, node, f"from node {name} the flow neither asks nor ends")


def _no_timeout(_library: Library, flow: Flow) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        if isinstance(node, Ask | Collect) and node.timeout is None:
            yield at_flow(flow, node, f"node {name} waits for ever: give it or the flow a timeout")


def _no_human(library: Library, flow: Flow) -> Iterator[Problem]:
    """Asks for a person at every waiting node and looks whether one is found and the citizen told so."""
    for name, node in flow.nodes.items():
        if isinstance(node, Wait) and not _human_answers(library, Session(flow=flow.name, node=name)):
            yield at_flow(flow, node, f"at node {name} a citizen who asks for a person hears nothing")


def _human_answers(library: Library, session: Session) -> bool:
    context = Context(CHECK_TIME, "CHECK-0", {}, on_call=True, office_open=True)
    machine = Machine(library, session, Stimulus(StimulusKind.said), context)
    human(machine)
    kinds = {type(event) for event in machine.events}
    return {HumanRequested, Said} <= kinds


_PARTS: tuple[Callable[[Library, Flow], Iterator[Problem]], ...] = (
    _unreachable,
    _dead_ends,
    _no_timeout,
    _no_human,
)
