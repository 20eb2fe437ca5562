"""`python -m bench.report`: puts the newest figures and the newest profile into docs/performance.md.

What is said about them there is written by hand; only what stands between the marks is replaced.
"""

from __future__ import annotations

import json
from typing import Any

from bench.goals import GOALS
from bench.run import CACHE
from bench.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Rewrites the page in its place. Raises FileNotFoundError where nothing was measured yet."""
    text = PAGE.read_text()
    text = put(text, "figures", figures(json.loads((CACHE / "bench.json").read_text())))
    text = put(text, "profile", profile(json.loads((CACHE / "profile.json").read_text())))
    PAGE.write_text(text)


def put(text: str, name: str, content: str) -> str:
    """The text with other content between the marks of this name. Raises ValueError without them."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{begin}\n{content}\n{end}{after}"


def figures(measured: dict[str, Any]) -> str:
    """The table of the goals, and what it was measured on."""
    machine = measured["machine"]
    lines = [
        "| what | against | measured | figure | must | aim | holds |",
        "|---|---|---|---|---|---|---|",
        *(_line(goal.key, goal.what, goal.against, measured) for goal in GOALS),
        "",
        f"Measured {measured['at'][:10]} on {machine['cores']} cores, {machine['system']}"
        f" {machine['kernel'].split('-')[0]}, Python {machine['python']}, in {measured['seconds']} s.",
    ]
    return "\n".join(lines)


def _line(key: str, what: str, against: str, measured: dict[str, Any]) -> str:
    figure = measured["figures"].get(key)
    if figure is None:
        return f"| {what} | {against} | not measured | | | | |"
    both = f"{figure['ours']} : {figure['theirs']}" if figure["theirs"] else figure["ours"]
    value = f"{figure['value']:.3g} {figure['unit']}"
    bounds = f"{figure['must']:g} | {figure['aim']:g}"
    return f"| {what} | {against} | {both} | {value} | {bounds} | {figure['verdict']} |"


def profile(measured: dict[str, Any]) -> str:
    """Where a turn's time goes, and the floor."""
    stages, calls = measured["stages_us"], measured["calls"]
    whole = sum(stages.values())
    lines = ["| stage of a turn | us | share | calls |", "|---|---|---|---|"]
    for stage, time in sorted(stages.items(), key=lambda item: -item[1]):
        lines.append(f"| {stage} | {time:.1f} | {time / whole:.1%} | {calls.get(stage, 0):.1f} |")
    lines += [f"| **together** | **{whole:.0f}** | | |", "", "| floor | us |", "|---|---|"]
    lines += [f"| {name} | {time:.1f} |" for name, time in measured["floors_us"].items()]
    limit = measured["limit_us"]
    times = f"{limit:.0f} us a turn; ours is {whole / limit:.1f} times that."
    lines += ["", f"Socket, JSON, cipher and SQLite alone: {times}"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
