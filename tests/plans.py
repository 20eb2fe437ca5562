"""How a database would answer the queries of a piece of work: from end to end, or by an index."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event

# These hold what waits and nothing else, however long the tables are.
_SMALL = r": SCAN \w+ USING INDEX (in|out)box_(waiting|behind)$"
# By the primary key from its end, until enough are found.
_NEWEST = r"ORDER BY \w+\.id DESC\s+LIMIT .*: SCAN \w+$"
_NO_TABLE = r": SCAN (CONSTANT ROW|found|\(?subquery-\d+\)?)$"


def whole_scans(tx: Connection, work: Callable[[Connection], Any]) -> tuple[list[str], int]:
    """The steps of `work` that look at a whole table, and how many steps there are in all."""
    statements: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: Any) -> None:
        statements.append((" ".join(statement.split()), values))

    event.listen(tx, "before_cursor_execute", keep)
    work(tx)
    event.remove(tx, "before_cursor_execute", keep)
    explain = "EXPLAIN QUERY PLAN "
    if tx.dialect.name == "postgresql":
        explain = "EXPLAIN "
        tx.exec_driver_sql("SET enable_seqscan = off")  # a small table is read whole, whatever indexes it has
    steps = [
        f"{statement}: {row[-1]}"
        for statement, values in statements
        for row in tx.exec_driver_sql(explain + statement, values)
    ]
    whole = [step for step in steps if re.search("Seq Scan on (?!found)|: SCAN", step)]
    fine = f"{_SMALL}|{_NEWEST}|{_NO_TABLE}"
    return [step for step in whole if not re.search(fine, step)], len(steps)
