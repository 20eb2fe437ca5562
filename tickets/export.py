"""The log as files for other programs. Cells that a spreadsheet would run as formulas are made text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

COLUMNS = (
    "ref",
    "opened_at",
    "topic",
    "risk",
    "risk_kind",
    "status",
    "channel",
    "language",
    "district",
    "assigned_to",
    "answers",
    "entries",
    "pages",
    "first_human_word_at",
    "closed_at",
    "outcome",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")
Tickets = Iterable[Mapping[str, Any]]


def as_jsonl(tickets: Tickets) -> bytes:
    """One JSON object a line."""
    return "".join(json.dumps(ticket, ensure_ascii=False) + "\n" for ticket in tickets).encode()


def as_csv(tickets: Tickets) -> bytes:
    """RFC 4180 with a byte order mark, so that Greek survives a double click in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(ticket) for ticket in tickets)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(tickets: Tickets) -> bytes:
    """A workbook with one sheet. Every cell is a text."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("tickets")
    sheet.append(COLUMNS)
    for ticket in tickets:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub(" ", cell)[:32000] for cell in _row(ticket)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _row(ticket: Mapping[str, Any]) -> list[str]:
    return [_cell(ticket[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


EXPORTS: Mapping[str, Callable[[Tickets], bytes]] = {"jsonl": as_jsonl, "csv": as_csv, "xlsx": as_xlsx}
"""The formats of `limani tickets export --format`."""
