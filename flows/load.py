"""A folder of flows -> Library, or FlowError with every mistake and its line.

Hard errors are what would leave a citizen stranded; what is merely unwise is flows.check's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from flows import rules
from flows.load_nodes import read_flow
from flows.model import Ask, Check, Enter, Flow, Go, Library, Message, OptionText, targets
from flows.yamlfile import Complaints, FlowError, Value, read

__all__ = ["FlowError", "load_library"]

LIBRARY = Path(__file__).parent / "library"
MESSAGE_KEYS = {"text", "unsure", "invalid", "short", "options", "review"}
_LANGUAGE = re.compile(r"[a-z]{2}")

Messages = dict[tuple[str, str], Mapping[str, Message]]


def load_library(path: Path | None = None) -> Library:
    """Reads every flow under `path` (default: the library beside this file).

    Raises FlowError naming all errors. Deterministic: folders in alphabetical order.
    """
    root = path or LIBRARY
    complaints = Complaints()
    flows: dict[str, Flow] = {}
    messages: Messages = {}
    for folder in sorted(child for child in root.iterdir() if child.is_dir()) if root.is_dir() else ():
        if folder.name.startswith((".", "_")):
            continue
        _read_folder(folder, flows, messages, complaints)
    if not flows:
        complaints.add(root.name, 1, "there is no flow here")
    library = Library(flows, messages, _languages(messages), _intents(flows, complaints))
    for flow in flows.values():
        _check_flow(library, flow, complaints)
    complaints.raise_if_any()
    return library


def _read_folder(folder: Path, flows: dict[str, Flow], messages: Messages, complaints: Complaints) -> None:
    for file in sorted(folder.glob("*.yaml")):
        name = f"{folder.name}/{file.name}"
        root = read(file, name, complaints)
        if root is None:
            continue
        if file.stem == "flow":
            flows[folder.name] = read_flow(root, folder.name)
        elif _LANGUAGE.fullmatch(file.stem):
            messages[(folder.name, file.stem)] = {
                key: _message(key, value) for key, value in root.items("a message file").items()
            }
        else:
            complaints.add(name, 1, "a file here is flow.yaml or named by a language of two letters")


def _languages(messages: Messages) -> tuple[str, ...]:
    found = {language for _, language in messages}
    first = [language for language in ("el", "en") if language in found]
    return (*first, *sorted(found - {"el", "en"}))


def _message(key: str, value: Value) -> Message:
    if not value.is_mapping:
        return Message(value.text(f"message {key}").strip(), file=value.file, line=value.line)
    items = value.items(f"message {key}")
    for name in items.keys() - MESSAGE_KEYS:
        items[name].wrong(f"a message has no key {name}")
    if "text" not in items:
        value.wrong(f"message {key} needs a text")

    def get(name: str) -> str | None:
        return items[name].text(name).strip() if name in items else None

    options = items["options"].items("options") if "options" in items else {}
    review = items["review"].items("review") if "review" in items else {}
    return Message(
        text=get("text") or "",
        unsure=get("unsure"),
        invalid=get("invalid"),
        short=get("short"),
        options={name: _option(name, option) for name, option in options.items()},
        reviewed="state" in review and review["state"].text("state") == "approved",
        file=value.file,
        line=value.line,
    )


def _option(name: str, value: Value) -> OptionText:
    if not value.is_mapping:
        return OptionText(value.text(f"option {name}"))
    items = value.items(f"option {name}")
    for key in items.keys() - {"label", "also"}:
        items[key].wrong(f"an option has no key {key}")
    if "label" not in items:
        value.wrong(f"option {name} needs a label")
    label = items["label"].text("label") if "label" in items else name
    return OptionText(label, items["also"].texts("also") if "also" in items else ())


def _intents(flows: Mapping[str, Flow], complaints: Complaints) -> dict[str, str]:
    found: dict[str, str] = {}
    for flow in flows.values():
        for intent in flow.starts_on:
            if intent in found:
                complaints.add(flow.file, flow.line, f"the intent {intent} already starts {found[intent]}")
            found.setdefault(intent, flow.name)
    return found


def _check_flow(library: Library, flow: Flow, complaints: Complaints) -> None:
    for key in ("start", "start_again", "start_amber"):
        name = getattr(flow, key)
        if name and name not in flow.nodes:
            complaints.add(flow.file, flow.line, f"{key} names {name}, which is no node of this flow")
    for node_name, node in flow.nodes.items():
        for target in targets(node):
            if target and target not in flow.nodes:
                complaints.add(
                    flow.file, node.line, f"node {node_name} leads to {target}, which is no node of this flow"
                )
        for sentence in _names(library, flow, node_name):
            complaints.add(flow.file, node.line, sentence)
        # texts that could not be read are not also called missing
        if not any(file.startswith(f"{flow.name}/") for file in complaints.unread):
            for sentence in _texts(library, flow, node_name):
                complaints.add(flow.file, node.line, sentence)


def _texts(library: Library, flow: Flow, name: str) -> Iterator[str]:
    """Texts and labels of a node that nobody wrote in any language."""
    node = flow.nodes[name]
    text = getattr(node, "text", None)
    if text is not None and library.find(f"{flow.name}.{text}", "el") is None:
        yield f"node {name} uses the text {text}, which no language has"
    if isinstance(node, Ask):
        for option in node.options:
            if library.option(f"{flow.name}.{node.text}", option, "el") is None:
                yield f"node {name} has the option {option}, which has a label in no language"


def _names(library: Library, flow: Flow, name: str) -> Iterator[str]:
    """What a node names that does not exist: predicates, rules, flows."""
    match flow.nodes[name]:
        case Go(routes=routes):
            for route in routes:
                if route.predicate and not rules.is_predicate(route.predicate, flow):
                    yield f"node {name} asks for {route.predicate}, which is no predicate"
        case Check(rule=rule) if rule not in rules.ELIGIBILITY:
            yield f"node {name} uses the rule {rule}, which does not exist"
        case Enter(flow=other) if other not in library.flows:
            yield f"node {name} enters {other}, which is no flow"
        case _:
            pass
