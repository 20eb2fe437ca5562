"""Statements that are compiled once: the same SQLAlchemy statement, without its cost at every call.

Building, hashing and wrapping a statement costs a tenth of a millisecond each time, ten times what SQLite
needs to run it. A turn has a dozen of them, so the hot path compiles each once per kind of database and
hands the text straight to the driver. Types (times, sealed bytes, JSON) are converted as the tables say.
"""

from __future__ import annotations

import json
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Dialect,
    Executable,
    LargeBinary,
    Select,
    String,
    TypeDecorator,
    Update,
    bindparam,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError

from store.schema import UtcTime

Convert = Callable[[Any], Any]
Params = Mapping[str, Any]


class _Compiled:
    """One statement for one kind of database."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        order: list[str] = list(compiled.positiontup or compiled.binds)
        self._constant = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._pick = _picker(order)
        self._binds = [
            (at, convert)
            for at, name in enumerate(order)
            if (convert := _to_driver(compiled.binds[name].type, dialect)) is not None
        ]
        told = list(getattr(statement, "selected_columns", ())) or list(
            getattr(statement, "exported_columns", ())
        )
        self._results = [
            (at, convert)
            for at, column in enumerate(told)
            if (convert := _from_driver(column.type, dialect)) is not None
        ]
        names = [column.key or f"column{at}" for at, column in enumerate(told)]
        self._row: Any = namedtuple("Row", names, rename=True) if told else None

    def values(self, params: Params) -> tuple[Any, ...]:
        """The parameters in the driver's order and types."""
        picked = self._pick({**self._constant, **params} if self._constant else params)
        if not self._binds:
            return picked
        values = list(picked)
        for at, convert in self._binds:
            values[at] = convert(values[at])
        return tuple(values)

    def rows(self, found: Iterable[Sequence[Any]]) -> list[Any]:
        """What the driver gave, as named rows."""
        make, results = self._row._make, self._results
        if not results:
            return [make(row) for row in found]
        named = []
        for row in found:
            values = list(row)
            for at, convert in results:
                values[at] = convert(values[at])
            named.append(make(values))
        return named


def _picker(names: list[str]) -> Callable[[Params], tuple[Any, ...]]:
    """Takes these values out of parameters, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda params: tuple(params[name] for name in names)


def _to_driver(kind: Any, dialect: Dialect) -> Convert | None:
    """How a value becomes the driver's. Bytes are bytes to both drivers (the toolkit would wrap them)."""
    if isinstance(getattr(kind, "impl_instance", kind), LargeBinary):
        return None
    if isinstance(kind, UtcTime):
        return kind.to_driver
    return cast("Convert | None", kind.dialect_impl(dialect).bind_processor(dialect))


def _from_driver(kind: Any, dialect: Dialect) -> Convert | None:
    if isinstance(getattr(kind, "impl_instance", kind), LargeBinary):
        return None
    if isinstance(kind, UtcTime):
        return kind.from_driver
    return cast("Convert | None", kind.dialect_impl(dialect).result_processor(dialect, None))


class Prepared:
    """`columns`: the columns that an insert without values of its own takes from the parameters."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._for: dict[str, _Compiled] = {}

    def all(self, tx: Connection, **params: Any) -> list[Any]:
        """The rows of a query, or of a statement that returns some."""
        compiled = self._compiled(tx)
        return compiled.rows(_ask(tx, compiled.sql, compiled.values(params)))

    def first(self, tx: Connection, **params: Any) -> Any:
        """The first row, None for none."""
        found = self.all(tx, **params)
        return found[0] if found else None

    def run(self, tx: Connection, **params: Any) -> int:
        """Runs a change; how many rows it touched."""
        compiled = self._compiled(tx)
        return _change(tx, compiled.sql, compiled.values(params))

    def many(self, tx: Connection, rows: Sequence[Params]) -> None:
        """Runs a change once per row, in one journey to the server."""
        if rows:
            compiled = self._compiled(tx)
            _change_many(tx, compiled.sql, [compiled.values(row) for row in rows])

    def _compiled(self, tx: Connection) -> _Compiled:
        dialect = tx.dialect
        found = self._for.get(dialect.name)
        if found is None:
            found = self._for[dialect.name] = _Compiled(self._on(dialect), dialect, self._columns)
        return found

    def _on(self, dialect: Dialect) -> Any:
        return self._statement


class PreparedInsert(Prepared):
    """An insert of these columns of a table. `once` = columns of a unique key: a row whose key is there
    changes nothing; `over` = a key column: such a row takes the new values instead. Only that very key: two
    rows that got the same id by chance are an error, or one of them would be lost without a word."""

    def __init__(self, table: Any, *columns: str, once: Sequence[str] = (), over: str | None = None) -> None:
        super().__init__(table.insert(), columns or [column.name for column in table.columns])
        self._table, self._once, self._over = table, list(once), over

    def _on(self, dialect: Dialect) -> Any:
        if not self._once and self._over is None:
            return self._statement
        statement = _insert(dialect)(self._table)
        if self._over is None:
            return statement.on_conflict_do_nothing(index_elements=self._once)
        changed = {name: statement.excluded[name] for name in self._columns or () if name != self._over}
        return statement.on_conflict_do_update(index_elements=[self._over], set_=changed)


class PreparedSet:
    """A statement about many values of one column: `where column in (...)`, in one journey.

    Bytes are the exception on SQLite, whose lists travel as JSON: there the statement runs once per value,
    which without a journey costs little. Rows come in no order that means anything."""

    def __init__(self, statement: Select[Any] | Update | Delete, column: Column[Any]) -> None:
        listed = func.json_each(bindparam("among", type_=_AsJson)).table_valued("value")
        self._statement, self._column = statement, column
        self._one = Prepared(statement.where(column == bindparam("among", type_=column.type)))
        self._listed = Prepared(statement.where(column.in_(select(listed.c.value))))
        self._alone = isinstance(column.type, LargeBinary)

    def all(self, tx: Connection, among: Sequence[Any], **params: Any) -> list[Any]:
        """All rows that the values find (or that a change among them returns)."""
        if not among:
            return []
        if tx.dialect.name == "postgresql":
            return self._several().all(tx, among=list(among), **params)
        if len(among) == 1 or self._alone:
            return [row for value in among for row in self._one.all(tx, among=value, **params)]
        return self._listed.all(tx, among=among, **params)

    @cache  # noqa: B019 - made once in a module's life, and only where PostgreSQL is
    def _several(self) -> Prepared:
        from sqlalchemy.dialects.postgresql import ARRAY

        several = bindparam("among", type_=ARRAY(self._column.type))
        return Prepared(self._statement.where(self._column == several.any_()))


class _AsJson(TypeDecorator[Any]):
    """A list, as SQLite's json_each takes it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value if isinstance(value, list) else list(value))


def _insert(dialect: Dialect) -> Any:
    """Only the dialect that is used is loaded: the other one would cost a tenth of a second at start."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    from sqlalchemy.dialects import sqlite

    return sqlite.insert


def _sqlite(tx: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", tx.connection.driver_connection)


def _ask(tx: Connection, sql: str, values: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    if tx.dialect.name == "sqlite":
        try:
            return _sqlite(tx).execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _wrapped(error, sql) from error
    return cast("Sequence[Sequence[Any]]", tx.exec_driver_sql(sql, values).fetchall())


def _change(tx: Connection, sql: str, values: tuple[Any, ...]) -> int:
    if tx.dialect.name == "sqlite":
        try:
            return _sqlite(tx).execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise _wrapped(error, sql) from error
    return tx.exec_driver_sql(sql, values).rowcount


def _change_many(tx: Connection, sql: str, rows: list[tuple[Any, ...]]) -> None:
    if tx.dialect.name == "sqlite":
        try:
            _sqlite(tx).executemany(sql, rows)
        except sqlite3.Error as error:
            raise _wrapped(error, sql) from error
    else:
        tx.exec_driver_sql(sql, rows)


def _wrapped(error: sqlite3.Error, sql: str) -> Exception:
    """The toolkit's exception for a driver's: callers know those. Parameters stay out of it."""
    return cast("Exception", DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True))
