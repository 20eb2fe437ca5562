"""A message and what is known -> the words that a citizen sees.

A fact is stated only when it is sure; otherwise the text steps back to its `unsure` form, which may
name only verified phones. Never raises: an unknown placeholder disappears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flows.events import Answer
from flows.model import Ask, Collect, Flow, Library, Message, Node, targets
from flows.session import Context, OpenTicket, Session
from flows.slots import is_map_place

PLACEHOLDER = re.compile(r"\{([a-z_]+(?::[\w.\-]+)?)\}")

# National numbers that have not changed for years. Should a profile forget one, or its date run out, a
# person in danger still reads a number.
LAST_RESORT = {
    "hotline.emergency": "112",
    "hotline.ambulance": "166",
    "hotline.police": "100",
    "hotline.suicide": "1018",
    "hotline.support": "10306",
}
SHOWN = 300  # a long story is kept whole and shown short


@dataclass(frozen=True, slots=True)
class View:
    """What a text may draw on besides its own words; `extra` are placeholders of the moment."""

    library: Library
    session: Session
    context: Context
    extra: Mapping[str, str] = field(default_factory=dict)

    def common(self, name: str) -> str:
        """A text of the flow `common`."""
        return self.library.text(f"common.{name}", self.session.language)


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces."""
    return tuple(PLACEHOLDER.findall(template))


def facts(template: str) -> tuple[str, ...]:
    """The facts that a template names."""
    return tuple(name.removeprefix("fact:") for name in placeholders(template) if name.startswith("fact:"))


def render(view: View, key: str) -> str:
    """The words of a message, "" where no language has it."""
    message = view.library.find(key, view.session.language)
    return _fill(view, _form(view, message)) if message else ""


def render_text(view: View, template: str) -> str:
    """The words of a template that is part of a message."""
    return _fill(view, template)


def _form(view: View, message: Message) -> str:
    """Facts decide: all sure, the text; else its unsure form, else the common one."""
    known = view.context.facts
    if all((fact := known.get(name)) is not None and fact.sure for name in facts(message.text)):
        return message.text
    return message.unsure if message.unsure is not None else view.common("unsure")


def _fill(view: View, template: str) -> str:
    # one pass: braces in a citizen's own words are never read as placeholders
    filled = PLACEHOLDER.sub(lambda found: _value(view, found.group(1)), template)
    return re.sub(r"[ \t]+\n", "\n", filled).strip()


def _value(view: View, name: str) -> str:
    if name in view.extra:
        return view.extra[name]
    head, _, tail = name.partition(":")
    if head == "fact":
        return _fact(view, tail)
    if head == "answer":
        return answer_text(view, tail)
    value = _NAMED.get(head)
    return value(view) if value else ""


def _fact(view: View, name: str) -> str:
    fact = view.context.facts.get(name)
    if fact is not None and (fact.sure or fact.dialable):
        return fact.says(view.session.language)
    return LAST_RESORT.get(name) or view.common("fact_missing")


def _ref(view: View) -> str:
    case = view.session.case
    return view.session.ref or (case.ref if case else "")


def answer_text(view: View, slot: str) -> str:
    """An answer as its citizen would say it: the label of the button, the very words, a short number."""
    value = view.session.answers.get(slot)
    flow = view.library.flows.get(view.session.flow or "")
    name = flow.slot_node(slot) if flow else None
    node = flow.nodes[name] if flow and name else None
    if isinstance(node, Ask) and flow and isinstance(value, str):
        return view.library.label(f"{flow.name}.{node.text}", value, view.session.language)
    return _shown(view, node, value)


def _shown(view: View, node: Node | None, value: Answer) -> str:
    if value is None:
        return "—"
    if is_map_place(value):
        return view.common("place_on_map") or str(value)
    if isinstance(node, Collect) and node.type == "money" and isinstance(value, int | float):
        return f"{value:.2f}".removesuffix(".00") + " €"
    if isinstance(node, Collect) and node.type == "date" and isinstance(value, str):
        return "/".join(part.lstrip("0") for part in reversed(value.split("-")))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + "…"


def answered(flow: Flow, session: Session) -> list[tuple[str, str]]:
    """(slot, node) of what the citizen was asked and answered on the way he or she took."""
    found: dict[str, str] = {}
    for name in session.trail:
        slot = getattr(flow.nodes.get(name), "slot", None)
        if slot and slot in session.answers:
            found.setdefault(slot, name)
    return list(found.items())


def short(view: View, flow: Flow, node_name: str) -> str:
    """What the summary calls a question."""
    text = getattr(flow.nodes.get(node_name), "text", "")
    message = view.library.find(f"{flow.name}.{text}", view.session.language)
    return (message.short if message and message.short else node_name.replace("_", " ")).strip()


def _summary(view: View) -> str:
    flow = view.library.flows.get(view.session.flow or "")
    if flow is None:
        return ""
    pairs = [
        (short(view, flow, node), answer_text(view, slot))
        for slot, node in answered(flow, view.session)
        if view.session.answers[slot] is not None
    ]
    return "\n".join(f"{name}: {value}" for name, value in pairs)


def flow_name(view: View, name: str | None) -> str:
    """What a question calls a flow, in the citizen's language."""
    return view.library.text(f"{name}.name", view.session.language) or (name or "").replace("_", " ")


def _ticket(view: View, ticket: OpenTicket) -> str:
    name = view.library.intents.get(ticket.topic, ticket.topic)
    opened = f"{ticket.opened_at.day}/{ticket.opened_at.month}"
    return f"{ticket.ref}: {flow_name(view, name)}, {opened}, {view.common(f'status_{ticket.status}')}"


def _tickets(view: View) -> str:
    return "\n".join(_ticket(view, ticket) for ticket in view.context.tickets) or view.common("no_tickets")


def _progress(view: View) -> str:
    """Empty unless every way to the end from here has the same number of questions."""
    flow = view.library.flows.get(view.session.flow or "")
    if flow is None or view.session.node is None:
        return ""
    start = view.session.node
    left = view.library.once(("left", flow.name, start), lambda: _questions_left(flow, start))
    here = len([name for name in view.session.trail if getattr(flow.nodes.get(name), "slot", None)]) + 1
    if left is None:
        return ""
    template = view.common("progress")
    return template.replace("{n}", str(here)).replace("{total}", str(here + left - 1))


def _questions_left(flow: Flow, start: str) -> int | None:
    """How many slots are asked from a node on, itself included, until the first question without one."""
    memo: dict[str, int | None] = {}

    def count(name: str, path: frozenset[str]) -> int | None:
        if name in path or name not in flow.nodes:
            return None
        if name not in memo:
            memo[name] = follow(flow.nodes[name], path | {name})
        return memo[name]

    def follow(node: Node, path: frozenset[str]) -> int | None:
        if isinstance(node, Ask | Collect) and node.slot is None:
            return 0
        here = 1 if isinstance(node, Ask | Collect) else 0
        counts = {count(name, path) for name in _ways(node)} or {0}
        only = counts.pop() if len(counts) == 1 else None
        return None if only is None else here + only

    return count(start, frozenset())


def _ways(node: Node) -> tuple[str, ...]:
    if isinstance(node, Ask):
        return tuple(dict.fromkeys(node.options.values()))
    if isinstance(node, Collect):
        return (node.then,)

    return targets(node)


_NAMED: Mapping[str, Callable[[View], str]] = {
    "ref": _ref,
    "summary": _summary,
    "tickets": _tickets,
    "progress": _progress,
    "flow": lambda view: flow_name(view, view.session.flow),
}
KNOWN = frozenset({*_NAMED, "because", "rule_date", "n", "total"})
