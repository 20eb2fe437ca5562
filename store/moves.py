"""A change of state that says whether it happened.

Every state of Limani is one enum, one table of allowed moves, and this one conditional UPDATE:
"someone got there first" is a normal answer, not an exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table, update

S = TypeVar("S", bound=StrEnum)
Moves = Mapping[S, Set[S]]
"""To which states each state may move."""


def move(
    tx: Connection,
    table: Table,
    row: int,
    moves: Moves[S],
    to: S,
    *where: Any,
    column: str = "state",
    **values: Any,
) -> bool:
    """Moves a row to `to` if its present state allows that. `where` adds fencing conditions."""
    state: Column[Any] = table.c[column]
    allowed = [source.value for source, targets in moves.items() if to in targets]
    done = tx.execute(
        update(table)
        .where(table.c.id == row, state.in_(allowed), *where)
        .values({column: to.value, **values})
    )
    return done.rowcount == 1
