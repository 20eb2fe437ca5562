"""Seals every value again with the newest key, a small transaction at a time, beside a running server."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, select, update

from store.database import Database
from store.schema import Sealed, addresses, metadata
from store.vault import Vault

_BATCH = 200


async def rotate(db: Database, vault: Vault) -> int:
    """How many values were sealed again. Blind indexes of addresses are written anew as well."""
    count = 0
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                count += await _rotate_column(db, vault, table, column)
    return count


async def _rotate_column(db: Database, vault: Vault, table: Table, column: Column[bytes]) -> int:
    count = 0
    last: int | None = -1
    while last is not None:
        done, last = await db.write(lambda tx, last=last: _batch(tx, vault, table, column, last))  # type: ignore[misc]
        count += done
    return count


def _batch(
    tx: Connection, vault: Vault, table: Table, column: Column[bytes], after: int
) -> tuple[int, int | None]:
    """Seals one batch of rows; returns how many, and the last row's id (None at the end)."""
    (key,) = table.primary_key.columns
    query = (
        select(key, column)
        .where(key > after, column.is_not(None))
        .order_by(key)
        .limit(_BATCH)
        .with_for_update()
    )
    rows = tx.execute(query).all()
    stale = [(row, sealed) for row, sealed in rows if not vault.is_current(sealed)]
    for row, sealed in stale:
        text = vault.open(table.name, row, column.name, sealed)
        values = {column.name: vault.seal(table.name, row, column.name, text)}
        if table is addresses and column.name == "address":
            channel = tx.execute(select(addresses.c.channel).where(addresses.c.id == row)).scalar_one()
            values["address_index"] = vault.indexes(f"address:{channel}", text)[0]
        tx.execute(update(table).where(key == row).values(**values))
    return len(stale), rows[-1][0] if rows else None
