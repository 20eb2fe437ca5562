"""Inserts that a duplicate does not disturb: the same verb on SQLite and PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from store.prepared import PreparedInsert


def insert_once(tx: Connection, table: Table, *key: str, **values: Any) -> bool:
    """Inserts a row; False, and no change, when a row has the same values in the columns of `key`."""
    return _once(table, key, tuple(values)).run(tx, **values) == 1


def put(tx: Connection, table: Table, key: str, **values: Any) -> None:
    """Inserts a row or replaces the values of the one with the same `key` column."""
    _over(table, key, tuple(values)).run(tx, **values)


@cache
def _once(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> PreparedInsert:
    return PreparedInsert(table, *columns, once=key)


@cache
def _over(table: Table, key: str, columns: tuple[str, ...]) -> PreparedInsert:
    return PreparedInsert(table, *columns, over=key)
