"""The one table, and the file for programs."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.goals import GOALS
from bench.run import Figures

_HEAD = ("what", "against", "figure", "ratio", "must", "aim", "verdict")


def rows_of(figures: Figures, failures: dict[str, str]) -> list[tuple[str, ...]]:
    """One line a goal that was measured, or that could not be."""
    lines: list[tuple[str, ...]] = []
    for goal in GOALS:
        bounds = (_short(goal.must), _short(goal.aim))
        if goal.key in figures:
            figure = figures[goal.key]
            shown = f"{figure.ours} : {figure.theirs}" if figure.theirs else figure.ours
            verdict = goal.verdict(figure.value)
            value = f"{_short(figure.value)} {goal.unit}"
            lines.append((goal.what, goal.against, shown, value, *bounds, verdict))
        elif goal.row in failures:
            lines.append((goal.what, goal.against, failures[goal.row], "", *bounds, "FAILS"))
    return lines


def as_text(lines: list[tuple[str, ...]]) -> str:
    """Columns of equal width."""
    table = [_HEAD, *lines]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
    return "\n".join([shown[0], "  ".join("-" * width for width in widths), *shown[1:]])


def write_json(path: Path, figures: Figures, failures: dict[str, str], seconds: float, quick: bool) -> None:
    """Everything that was measured, with what it was measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    goals = {goal.key: goal for goal in GOALS}
    measured: dict[str, Any] = {
        key: {
            "value": round(figure.value, 4),
            "unit": goals[key].unit,
            "ours": figure.ours,
            "theirs": figure.theirs,
            "must": goals[key].must,
            "aim": goals[key].aim,
            "more_is_better": goals[key].more,
            "verdict": goals[key].verdict(figure.value),
            "detail": figure.detail,
        }
        for key, figure in figures.items()
    }
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
        "quick": quick,
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.system(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "failures": failures,
        "figures": measured,
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
