"""Copies of the seed's rows: other citizens, other ids and references, the same kinds of words, sealed anew.

A sealed cell is bound to its table, row and column, so every copy is encrypted by the real vault for its
place. Nothing here knows what a column is for, but for the few that must be unique.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table

from bench.servers import KEY
from bench.template import BLOCK, FIRST
from store.ids import REF_ALPHABET
from store.schema import Sealed, metadata
from store.vault import Vault

STEP = 4096  # ids between two copies of the seed: more than it has rows
REF_LETTERS = 7
TABLES = [
    table for table in metadata.sorted_tables if table.name not in ("marks", "people", "logins", "waits")
]
Row = Sequence[Any]
Make = Callable[
    [int, int, Any, int], Any
]  # copy, id of its first row, cell of the seed, id of the row -> cell


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed in memory, its sealed cells open and its ids numbered from 0."""

    rows: dict[str, list[Row]]  # of each table; ids are numbers
    refs: dict[str, str]  # a reference of the seed -> its letter


def read_seed(file: Path) -> Seed:
    """All rows of the seed."""
    vault, raw = Vault([KEY]), {}
    with sqlite3.connect(file) as connection:
        for table in TABLES:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            raw[table.name] = connection.execute(f"SELECT {names} FROM {table.name}").fetchall()
    places = _numbers(raw)
    refs = [row[_at("tickets", "ref")] for row in raw["tickets"]]
    rows = {table.name: [_opened(vault, table, row, places) for row in raw[table.name]] for table in TABLES}
    return Seed(rows, {ref: _letters(number, 2) for number, ref in enumerate(refs)})


def _numbers(raw: dict[str, list[Row]]) -> dict[int, int]:
    """Every id of the seed, numbered in its order: copies keep the order, whatever their ids are."""
    ids = sorted({row[0] for table in TABLES for row in raw[table.name]})
    if len(ids) >= STEP:
        raise ValueError("the seed has more rows than there are ids between two copies")
    return {row: number for number, row in enumerate(ids)}


def _opened(vault: Vault, table: Table, row: Row, places: dict[int, int]) -> Row:
    """Ids and references to other rows become numbers, sealed cells become texts."""
    cells = []
    for column, cell in zip(table.columns, row, strict=True):
        if cell is not None and isinstance(column.type, Sealed):
            cell = vault.open(table.name, row[0], column.name, cell)
        elif cell is not None and (column.primary_key or column.foreign_keys):
            cell = places[cell]
        cells.append(cell)
    return tuple(cells)


class Copier:
    """Makes the rows of copies; `newest` is an id above all of them, `count` the copies to come."""

    def __init__(self, seed: Seed, newest: int, count: int, first_chat: int) -> None:
        self._seed, self._vault, self._first_chat = seed, Vault([KEY]), first_chat
        self._base = newest - (count + 1) * STEP
        self._makers = {table.name: self._makers_of(table) for table in TABLES}

    def block(self, number: int) -> dict[str, list[Row]]:
        """All rows of one copy."""
        base = self._base + number * STEP
        return {
            table: [self._row(number, base, self._makers[table], row) for row in rows]
            for table, rows in self._seed.rows.items()
        }

    def _row(self, number: int, base: int, makers: list[tuple[int, Make]], seed: Row) -> Row:
        row = list(seed)
        row_id = base + seed[0]
        for at, make in makers:
            if seed[at] is not None:
                row[at] = make(number, base, seed[at], row_id)
        return row

    def _makers_of(self, table: Table) -> list[tuple[int, Make]]:
        """The columns that are not as in the seed, and how each is made."""
        made = [(at, self._make(table, column)) for at, column in enumerate(table.columns)]
        return [(at, make) for at, make in made if make is not None]

    def _make(self, table: Table, column: Column[Any]) -> Make | None:
        """How a cell of this column is made; None = as in the seed."""
        place = f"{table.name}.{column.name}"
        if isinstance(column.type, Sealed):
            return self._sealer(table.name, column.name)
        if column.primary_key or column.foreign_keys:
            return lambda number, base, cell, row: base + cell
        unique: dict[str, Make] = {
            "addresses.address_index": lambda number, base, cell, row: (
                None
            ),  # from the address, see `finished`
            "inbox.provider_key": lambda number, base, cell, row: f"c{number:07}.{row - base:04}",
            "outbox.provider_id": lambda number, base, cell, row: f"{number}{row - base:04}",
            "attempts.provider_id": lambda number, base, cell, row: f"{cell[:2]}{number:08}{row - base:024}",
            "tickets.ref": lambda number, base, cell, row: self._ref(number, cell),
        }
        return unique.get(place)

    def _sealer(self, table: str, column: str) -> Make:
        seal = self._vault.seal
        if (table, column) == ("addresses", "address"):
            return lambda number, base, cell, row: seal(table, row, column, self._chat(number, cell))
        refs = self._seed.refs

        def sealed(number: int, base: int, cell: str, row: int) -> bytes:
            at = cell.find("HRK-")
            if at >= 0 and cell[at : at + 8] in refs:
                cell = cell.replace(cell[at : at + 8], self._ref(number, cell[at : at + 8]))
            return seal(table, row, column, cell)

        return sealed

    def _chat(self, number: int, cell: str) -> str:
        return str(self._first_chat + number * BLOCK + int(cell) - FIRST)

    def _ref(self, number: int, ref: str) -> str:
        return f"HRK-{_letters(number, REF_LETTERS - 2)}{self._seed.refs[ref]}"

    def finished(self, number: int, made: dict[str, list[Row]]) -> dict[str, list[Row]]:
        """The blind index of each address, from the address itself."""
        address, index = _at("addresses", "address"), _at("addresses", "address_index")
        channel = _at("addresses", "channel")
        rows: list[Row] = []
        for row, seed in zip(made["addresses"], self._seed.rows["addresses"], strict=True):
            found = self._vault.indexes(f"address:{row[channel]}", self._chat(number, seed[address]))[0]
            rows.append((*row[:index], found, *row[index + 1 :]))
        return {**made, "addresses": rows}


def _at(table: str, column: str) -> int:
    return list(metadata.tables[table].columns.keys()).index(column)


def _letters(number: int, count: int) -> str:
    text = ""
    for _ in range(count):
        number, digit = divmod(number, len(REF_ALPHABET))
        text = REF_ALPHABET[digit] + text
    return text
