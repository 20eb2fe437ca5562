"""flow.yaml -> Flow: every verb with its keys, every mistake with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from flows.model import (
    ACTIONS,
    SLOT_TYPES,
    Ask,
    Change,
    Check,
    Collect,
    Do,
    End,
    Enter,
    Flow,
    Go,
    Node,
    Route,
    Say,
    Timeout,
)
from flows.yamlfile import Value

FLOW_KEYS = {"flow", "topic", "starts_on", "start", "start_again", "start_amber", "timeout", "nodes"}
VERB_KEYS: Mapping[str, frozenset[str]] = {
    "say": frozenset({"then"}),
    "ask": frozenset({"slot", "options", "then", "timeout"}),
    "collect": frozenset(
        {"slot", "type", "min", "max", "optional", "invalid", "location", "then", "timeout"}
    ),
    "change": frozenset({"then"}),
    "go": frozenset(),
    "do": frozenset({"then", "risk", "kind"}),
    "check": frozenset({"then"}),
    "enter": frozenset({"then"}),
    "end": frozenset(),
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "say": ("then",), "ask": ("options",), "collect": ("slot", "type", "then"), "change": ("then",), "go": (),
    "do": ("then",), "check": ("then",), "enter": ("then",), "end": (),
}  # fmt: skip
RISKS = ("amber", "red")
KINDS = ("suicide", "self_harm", "violence", "child", "threat", "medical")
VERDICTS = ("likely", "unlikely", "unsure")
_DURATION = re.compile(r"(\d{1,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Items = Mapping[str, Value]


def read_flow(root: Value, name: str) -> Flow:
    """The flow of one file. Complains about what is wrong and returns what can be used."""
    items = root.items("a flow")
    for key in items.keys() - FLOW_KEYS:
        items[key].wrong(f"a flow has no key {key}")
    for key in ("start", "nodes"):
        if key not in items:
            root.wrong(f"the flow needs {key}")
    if "flow" in items and items["flow"].text("flow") != name:
        items["flow"].wrong(f"flow must be the name of its folder, {name}")
    timeout = _timeout(items.get("timeout"))
    nodes: dict[str, Node] = {}
    for key, value in items["nodes"].items("nodes").items() if "nodes" in items else ():
        node = _node(key, value, timeout)
        if node is not None:
            nodes[key] = node
    return Flow(
        name=name,
        nodes=nodes,
        start=_text(items, "start") or "",
        topic=_text(items, "topic") or name,
        starts_on=items["starts_on"].texts("starts_on") if "starts_on" in items else (),
        timeout=timeout,
        start_again=_text(items, "start_again"),
        start_amber=_text(items, "start_amber"),
        file=root.file,
        line=root.line,
    )


def _text(items: Items, key: str) -> str | None:
    return items[key].text(key) if key in items else None


def _timeout(value: Value | None) -> Timeout | None:
    if value is None:
        return None
    items = value.items("a timeout")
    if items.keys() != {"after", "to"}:
        value.wrong("a timeout has after and to")
        return None
    written = items["after"].text("after")
    found = _DURATION.fullmatch(written)
    if not found or found.group(1).strip("0") == "":
        items["after"].wrong(f"{written} is no length of time; write for example 30m, 24h or 2d")
        return None
    return Timeout(timedelta(**{_UNITS[found.group(2)]: int(found.group(1))}), items["to"].text("to"))


def _node(name: str, value: Value, timeout: Timeout | None) -> Node | None:
    items = value.items(f"node {name}")
    verbs = [key for key in items if key in VERB_KEYS]
    if len(verbs) != 1:
        unknown = "" if verbs or not items else f" ({next(iter(items))} is no verb)"
        value.wrong(f"node {name} needs exactly one verb of {', '.join(VERB_KEYS)}{unknown}")
        return None
    verb = verbs[0]
    for key in items.keys() - VERB_KEYS[verb] - {verb}:
        items[key].wrong(f"{verb} has no key {key}")
    missing = [key for key in NEEDED[verb] if key not in items]
    if missing:
        value.wrong(f"node {name}: {verb} needs {' and '.join(missing)}")
        return None
    return _BUILDERS[verb](items, value, timeout)


def _say(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    return Say(items["say"].text("say"), items["then"].text("then"), value.line)


def _ask(items: Items, value: Value, timeout: Timeout | None) -> Node:
    rest = _text(items, "then")
    options: dict[str, str] = {}
    for option, target in items["options"].items("options").items():
        to = target.text(f"option {option}") or rest
        if to in {None, "", "~", "null"}:
            to = rest
        if to is None:
            target.wrong(f"option {option} leads nowhere: name a node, or give the question a then")
        if "=" in option or option.startswith("@"):
            target.wrong(f"option {option} may not contain = nor begin with @")
        options[option] = to or ""
    if not options:
        items["options"].wrong("a question needs at least one option")
    own = _timeout(items.get("timeout")) or timeout
    return Ask(items["ask"].text("ask"), options, _text(items, "slot"), own, value.line)


def _collect(items: Items, value: Value, timeout: Timeout | None) -> Node:
    kind = items["type"].text("type")
    if kind not in SLOT_TYPES:
        items["type"].wrong(f"{kind} is no slot type; there are {', '.join(SLOT_TYPES)}")
    return Collect(
        text=items["collect"].text("collect"),
        slot=items["slot"].text("slot"),
        type=kind,
        then=items["then"].text("then"),
        min=items["min"].number("min") if "min" in items else None,
        max=items["max"].number("max") if "max" in items else None,
        optional="optional" in items and items["optional"].flag("optional"),
        invalid=_text(items, "invalid"),
        location="location" in items and items["location"].flag("location"),
        timeout=_timeout(items.get("timeout")) or timeout,
        line=value.line,
    )


def _change(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    return Change(items["change"].text("change"), items["then"].text("then"), value.line)


def _go(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    routes: list[Route] = []
    for element in items["go"].elements("go"):
        keys = element.items("a route")
        for key in keys.keys() - {"if", "to"}:
            keys[key].wrong(f"a route has no key {key}")
        if "to" not in keys:
            element.wrong("a route needs to")
            continue
        routes.append(Route(_text(keys, "if"), keys["to"].text("to")))
    if not routes or routes[-1].predicate is not None:
        value.wrong("the last route of go must have no if, so that there is always a way on")
    if any(route.predicate is None for route in routes[:-1]):
        value.wrong("only the last route of go may be without if")
    return Go(tuple(routes), value.line)


def _do(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    action, risk, kind = items["do"].text("do"), _text(items, "risk"), _text(items, "kind")
    if action not in ACTIONS:
        items["do"].wrong(f"{action} is no action; there are {', '.join(ACTIONS)}")
    if action == "raise_risk" and risk is None:
        value.wrong("raise_risk needs risk")
    if risk is not None and risk not in RISKS:
        items["risk"].wrong(f"{risk} is no risk; there are {', '.join(RISKS)}")
    if kind is not None and kind not in KINDS:
        items["kind"].wrong(f"{kind} is no kind of risk; there are {', '.join(KINDS)}")
    return Do(action, items["then"].text("then"), risk, kind, value.line)


def _check(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    then = {key: target.text(key) for key, target in items["then"].items("then").items()}
    if set(then) != set(VERDICTS):
        items["then"].wrong("the then of check has likely, unlikely and unsure")
    return Check(items["check"].text("check"), then, value.line)


def _enter(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    return Enter(items["enter"].text("enter"), items["then"].text("then"), value.line)


def _end(items: Items, value: Value, _timeout_: Timeout | None) -> Node:
    return End(items["end"].text("end") or "done", value.line)


_BUILDERS: Mapping[str, Callable[[Items, Value, Timeout | None], Node]] = {
    "say": _say,
    "ask": _ask,
    "collect": _collect,
    "change": _change,
    "go": _go,
    "do": _do,
    "check": _check,
    "enter": _enter,
    "end": _end,
}
