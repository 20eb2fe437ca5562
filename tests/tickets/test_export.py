"""Exports: Greek survives, no cell runs as a formula, no ticket is lost."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tests.bot.floor import make_floor
from tickets.export import COLUMNS, EXPORTS, as_csv, as_jsonl, as_xlsx
from tickets.view import list_tickets

BAD_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
FORMULAS = ["=1+1", "+306900000001", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "＝1+1"]


def ticket(**values: Any) -> dict[str, Any]:
    blank = dict.fromkeys(COLUMNS)
    return {**blank, "ref": "HRK-7F3K", "answers": {}, "entries": [], "pages": [], **values}


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def xlsx_rows(content: bytes) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(content))["tickets"]
    return list(sheet.iter_rows(values_only=True))


def test_greek_survives_everywhere() -> None:
    words = 'Πόρος, «νερό»; έπειτα\nνέα γραμμή 😀 "εισαγωγικά"'
    given_ticket = ticket(district=words, answers={"όνομα": "Μαρία"})
    assert json.loads(as_jsonl([given_ticket]))["district"] == words
    content = as_csv([given_ticket])
    assert content.startswith(b"\xef\xbb\xbf"), "the mark by which spreadsheets know UTF-8"
    (row,) = csv_rows(content)
    assert (row["district"], row["answers"]) == (words, '{"όνομα": "Μαρία"}')
    header, cells = xlsx_rows(as_xlsx([given_ticket]))
    assert header == COLUMNS
    assert cells[COLUMNS.index("district")] == words


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str) -> None:
    (row,) = csv_rows(as_csv([ticket(district=formula, outcome=formula)]))
    assert not row["district"].startswith(BAD_STARTS)
    assert formula.strip() in row["district"]
    book = load_workbook(io.BytesIO(as_xlsx([ticket(district=formula)])))
    cell = book["tickets"].cell(2, COLUMNS.index("district") + 1)
    assert cell.data_type == "s"
    assert not str(cell.value).startswith(BAD_STARTS)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(FORMULAS)


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=3))
def test_any_words_can_be_exported(words: list[str]) -> None:
    tickets = [ticket(district=text, answers={"a": text}) for text in words]
    assert [json.loads(line)["district"] for line in as_jsonl(tickets).split(b"\n")[:-1]] == words
    rows = csv_rows(as_csv(tickets))
    assert len(rows) == len(words)
    assert not any(value.startswith(BAD_STARTS) for row in rows for value in row.values())
    assert [json.loads(row["answers"])["a"] for row in rows] == words
    assert len(xlsx_rows(as_xlsx(tickets))) == len(words) + 1


def test_an_endless_text_fits_a_spreadsheet() -> None:
    (_, cells) = xlsx_rows(as_xlsx([ticket(entries=[{"text": "α" * 80_000}])]))
    assert len(cells[COLUMNS.index("entries")]) <= 32_767


def test_nothing_exports_to_a_head_alone() -> None:
    assert as_jsonl([]) == b""
    assert csv_rows(as_csv([])) == []
    assert xlsx_rows(as_xlsx([])) == [COLUMNS]


async def test_what_is_in_the_database_is_in_every_export(
    database: Database, clock: ManualClock, ids: Ids, vault: Vault
) -> None:
    floor = make_floor(database, clock, ids, vault)
    citizen = await floor.meet()
    for number in "3479":
        opened = await floor.open_ticket(citizen, f"HRK-AAA{number}", answers={"name": "=Μαρία"})
        await floor.write(
            lambda tx, t=opened: floor.record.add(tx, t, "citizen", "said", "=1+1", clock.now())  # type: ignore[misc]
        )
    found = await database.read(lambda tx: list_tickets(tx, floor.record))
    assert set(EXPORTS) == {"jsonl", "csv", "xlsx"}
    lines = [json.loads(line) for line in as_jsonl(found).decode().splitlines()]
    assert lines == found
    refs = [ticket["ref"] for ticket in found]
    assert [row["ref"] for row in csv_rows(as_csv(found))] == refs
    assert [row[0] for row in xlsx_rows(as_xlsx(found))[1:]] == refs
