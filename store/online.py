"""Indexes for tables in use: built in the background where the database can, in the migration elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """An index that a migration adds. `where`: SQL that both databases read, for a partial one.

    On PostgreSQL store.migrate builds it before the migration's transaction, so that nobody has to wait for
    it; the migration then finds it there. Its columns must have been there before the migration."""

    name: str
    table: str
    columns: tuple[str, ...]
    where: str | None = None

    def concurrently(self) -> str:
        """PostgreSQL's statement, which runs outside any transaction."""
        columns = ", ".join(f'"{column}"' for column in self.columns)
        rest = f" WHERE {self.where}" if self.where else ""
        return f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{self.name}" ON "{self.table}" ({columns}){rest}'

    def make(self) -> None:
        """Inside a migration: makes it where it is not there yet."""
        from alembic import op
        from sqlalchemy import text

        where = text(self.where) if self.where else None
        op.create_index(
            self.name,
            self.table,
            list(self.columns),
            if_not_exists=True,
            sqlite_where=where,
            postgresql_where=where,
        )
