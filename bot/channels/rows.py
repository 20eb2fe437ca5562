"""Puts buttons into rows: two short ones side by side, a long one alone."""

from __future__ import annotations

from collections.abc import Sequence

from flows.events import Button

SHORT = 16  # characters that fit into half the width of a small phone


def paired(buttons: Sequence[Button]) -> list[list[Button]]:
    """The buttons in their order, one or two to a row."""
    rows: list[list[Button]] = []
    for button in buttons:
        last = rows[-1] if rows else []
        if len(last) == 1 and max(len(button.label), len(last[0].label)) <= SHORT:
            last.append(button)
        else:
            rows.append([button])
    return rows
