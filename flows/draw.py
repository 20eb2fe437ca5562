"""A flow as a Mermaid diagram: boxes are texts, diamonds are questions, arrows say which answer."""

from __future__ import annotations

from collections.abc import Iterator

from flows.model import Ask, Check, Collect, Do, End, Enter, Flow, Go, Node


def mermaid(flow: Flow) -> str:
    """The diagram of one flow. Deterministic: nodes in the order of the file."""
    lines = ["flowchart TD"]
    lines += [f"    {_id(name)}{_shape(name, node)}" for name, node in flow.nodes.items()]
    lines += [f"    {edge}" for name, node in flow.nodes.items() for edge in _edges(name, node)]
    lines.append(f"    begin(( )) --> {_id(flow.start)}")
    for label, entry in (("again", flow.start_again), ("amber", flow.start_amber)):
        if entry:
            lines.append(f'    {label}(("{label}")) --> {_id(entry)}')
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    return f"n_{name}"  # a node may be called "end", which Mermaid keeps for itself


def _shape(name: str, node: Node) -> str:
    match node:
        case Ask():
            return f'{{"{name}"}}'
        case Collect():
            return f'[/"{name}: {node.type}"/]'
        case Do():
            return f'[["{node.action}"]]'
        case Enter():
            return f'[["enter {node.flow}"]]'
        case End():
            return f'(["{node.outcome}"])'
        case Check():
            return f'{{{{"{node.rule}"}}}}'
        case Go():
            return f'{{{{"{name}"}}}}'
        case _:
            return f'["{name}"]'


def _edges(name: str, node: Node) -> Iterator[str]:
    here = _id(name)
    match node:
        case Ask(options=options):
            for value, target in options.items():
                yield f'{here} -->|"{value}"| {_id(target)}'
        case Go(routes=routes):
            for route in routes:
                yield f'{here} -->|"{route.predicate or "else"}"| {_id(route.to)}'
        case Check(then=then):
            for verdict, target in then.items():
                yield f'{here} -->|"{verdict}"| {_id(target)}'
        case End():
            return
        case _:
            yield f"{here} --> {_id(node.then)}"
    if isinstance(node, Ask | Collect) and node.timeout:
        yield f'{here} -.->|"no answer"| {_id(node.timeout.to)}'
