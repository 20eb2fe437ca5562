"""limani flows check | draw"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limani.commands.told import Told

app = typer.Typer(help="Conversations: the static proof, and pictures.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Option(help="another folder of flows")]


@app.command()
def check(
    folder: Folder = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="show warnings one by one")] = False,
) -> None:
    """Proves that every node can be reached, ends, waits with a time-out and leads to a human."""
    from limani.commands.offline import given_profile, given_settings
    from limani.proof import prove
    from store.clock import SystemClock

    library = _library(folder)
    problems = prove(library, given_profile(given_settings()), SystemClock().now())
    for problem in problems:
        if verbose or problem.level == "error":
            typer.echo(str(problem))
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise Told(f"{len(errors)} problems in the flows")
    nodes = sum(len(flow.nodes) for flow in library.flows.values())
    warned = f"{len(problems)} warnings (--verbose shows them)" if problems else "no warnings"
    typer.echo(
        f"{len(library.flows)} flows, {nodes} nodes, {', '.join(library.languages)}: no errors, {warned}"
    )


@app.command()
def draw(
    flow: Annotated[str | None, typer.Argument(help="one flow; all if not given")] = None,
    folder: Folder = None,
) -> None:
    """Prints flows as Mermaid diagrams."""
    from flows.draw import mermaid

    library = _library(folder)
    if flow is not None and flow not in library.flows:
        raise Told(f"there is no flow {flow}: {', '.join(sorted(library.flows))}")
    for name in [flow] if flow else sorted(library.flows):
        typer.echo(mermaid(library.flows[name]))


def _library(folder: Path | None):  # type: ignore[no-untyped-def]
    from flows.load import FlowError, load_library

    try:
        return load_library(folder)
    except FlowError as error:
        raise Told(str(error)) from None
