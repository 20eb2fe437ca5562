"""The plot: each figure between what must be and what is aimed at, as one SVG without any library."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

from bench.goals import GOALS, Goal
from bench.run import Figures

_WIDTH, _LEFT, _ROW, _TOP = 960, 430, 34, 56
_COLOURS = {"aim": "#1b7f5c", "must": "#c98a00", "FAILS": "#b3261e"}


def write(path: Path, figures: Figures) -> None:
    """Bars on a logarithmic scale on which every `must` stands at the same place: right of it is good."""
    shown = [goal for goal in GOALS if goal.key in figures]
    height = _TOP + _ROW * len(shown) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="600">{escape(_TITLE)}</text>',
        f'<text x="12" y="42" fill="#555">{escape(_LEGEND)}</text>',
    ]
    for number, goal in enumerate(shown):
        parts += _bar(goal, figures[goal.key].value, _TOP + number * _ROW)
    must = _x(1.0)
    parts.append(f'<line x1="{must}" x2="{must}" y1="{_TOP}" y2="{height - 24}" stroke="#222"/>')
    parts.append(f'<text x="{must}" y="{height - 8}" text-anchor="middle">must</text></svg>')
    path.write_text("\n".join(parts) + "\n")


_TITLE = "What the bench measured, against what must hold"
_LEGEND = "Times better than the bound (logarithmic); the small mark is the aim."


def _bar(goal: Goal, value: float, y: float) -> list[str]:
    good = _better(goal, value)
    end, aim, start = _x(good), _x(_better(goal, goal.aim)), _x(0.1)
    colour = _COLOURS[goal.verdict(value)]
    label = goal.what + (f" : {goal.against}" if goal.against else "")
    return [
        f'<text x="12" y="{y + 21}">{escape(_short(label))}</text>',
        f'<rect x="{start}" y="{y + 8}" width="{max(1.0, end - start):.1f}" height="18" fill="{colour}"/>',
        f'<line x1="{aim}" x2="{aim}" y1="{y + 4}" y2="{y + 30}" stroke="#222" stroke-dasharray="2 2"/>',
        f'<text x="{end + 6:.1f}" y="{y + 21}">{value:.3g} {escape(goal.unit)}</text>',
    ]


def _better(goal: Goal, value: float) -> float:
    """How many times better than the bound; below 1 it fails."""
    if value <= 0:
        return 10.0
    return value / goal.must if goal.more else goal.must / value


def _x(times: float) -> float:
    """From a tenth of the bound to ten times as good."""
    share = (math.log10(min(10.0, max(0.1, times))) + 1) / 2
    return round(_LEFT + share * (_WIDTH - _LEFT - 120), 1)


def _short(text: str) -> str:
    return text if len(text) <= 66 else text[:65] + "…"
