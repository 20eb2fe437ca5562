"""One serving process to a SQLite file, and the right keys for what it holds.

A second server would take the first one's work for the leftovers of a crash. PostgreSQL has no such limit.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url

from limani.parts import Parts
from store.schema import addresses
from store.vault import SealBroken, Vault


def hold_file(url: str) -> IO[bytes] | None:
    """Holds the SQLite file for this process until it ends; None for a database of another kind.

    Raises ValueError when another process serves it."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return None
    lock = Path(f"{parsed.database}.serving").open("wb")  # noqa: SIM115 - held open while we serve
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ValueError(
            "another limani serves this SQLite file; use PostgreSQL for more processes"
        ) from None
    return lock


def keys_open(tx: Connection, vault: Vault) -> bool:
    """Whether the keys open the newest address that is stored; true for an empty database."""
    query = select(addresses.c.id, addresses.c.address).order_by(addresses.c.id.desc()).limit(1)
    row = tx.execute(query).first()
    try:
        return row is None or bool(vault.open("addresses", row.id, "address", row.address))
    except SealBroken:
        return False


async def check_keys(parts: Parts) -> None:
    """Raises ValueError when the configured keys do not open what is stored: with wrong keys every citizen
    would be a stranger, and nothing that waits could be answered."""
    if not await parts.db.read(lambda tx: keys_open(tx, parts.vault)):
        raise ValueError(
            "LIMANI_SECRET_KEYS does not open what is stored: put the key that sealed it behind the new one"
        )
