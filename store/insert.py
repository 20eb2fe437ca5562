"""Inserts that a duplicate does not disturb: the same verb on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table


def insert_once(tx: Connection, table: Table, **values: Any) -> bool:
    """Inserts a row; False, and no change, when a unique key already has it."""
    statement = _insert(tx, table).values(**values).on_conflict_do_nothing()
    return tx.execute(statement).rowcount == 1


def put(tx: Connection, table: Table, key: str, **values: Any) -> None:
    """Inserts a row or replaces the values of the one with the same `key` column."""
    statement = _insert(tx, table).values(**values)
    changed = {name: value for name, value in values.items() if name != key}
    tx.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed))


def _insert(tx: Connection, table: Table) -> Any:
    """Only the dialect that is used is loaded: the other one would cost a tenth of a second at start."""
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
