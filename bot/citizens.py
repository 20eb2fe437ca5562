"""Citizens and the addresses by which channels reach them. Addresses are found by a blind index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from bot.incoming import Incoming
from store.ids import Ids
from store.insert import insert_once
from store.schema import addresses, citizens
from store.vault import Vault


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send: a row of addresses, opened."""

    id: int
    citizen_id: int
    channel: str
    address: str


class Citizens:
    """Finds who writes, and where to answer."""

    def __init__(self, vault: Vault, ids: Ids) -> None:
        self._vault = vault
        self._ids = ids

    def of(self, tx: Connection, incoming: Incoming, now: datetime) -> int:
        """The citizen id behind an incoming; a stranger gets a fresh one. Whoever writes is reachable
        again, whatever was noted before."""
        known = self._find(tx, incoming.channel, incoming.address)
        if known is None:
            return self._welcome(tx, incoming, now)
        tx.execute(update(addresses).where(addresses.c.id == known.id).values(state="open", last_in_at=now))
        return int(known.citizen_id)

    def left(self, tx: Connection, channel: str, address: str, now: datetime) -> None:
        """Notes that nothing more reaches this address."""
        known = self._find(tx, channel, address)
        if known is not None:
            self.block(tx, known.id, now)

    def block(self, tx: Connection, address_id: int, now: datetime) -> None:
        """Stops sending to an address until its citizen writes again."""
        tx.execute(
            update(addresses).where(addresses.c.id == address_id).values(state="blocked", blocked_at=now)
        )

    def move(self, tx: Connection, address_id: int, channel: str, address: str) -> None:
        """Writes the new address of a chat that has moved."""
        tx.execute(
            update(addresses)
            .where(addresses.c.id == address_id)
            .values(
                address=self._vault.seal("addresses", address_id, "address", address),
                address_index=self._vault.indexes(f"address:{channel}", address)[0],
            )
        )

    def latest(self, tx: Connection, citizen: int) -> Row[Any]:
        """The address row that the citizen used last."""
        query = select(addresses).where(addresses.c.citizen_id == citizen)
        return tx.execute(query.order_by(addresses.c.last_in_at.desc()).limit(1)).one()

    def open(self, row: Row[Any]) -> Address:
        """An address row made readable."""
        text = self._vault.open("addresses", row.id, "address", row.address)
        return Address(row.id, row.citizen_id, row.channel, text)

    def find(self, tx: Connection, channel: str, address: str) -> int | None:
        """The citizen id behind an address, None for a stranger."""
        known = self._find(tx, channel, address)
        return None if known is None else int(known.citizen_id)

    def _find(self, tx: Connection, channel: str, address: str) -> Row[Any] | None:
        indexes = self._vault.indexes(f"address:{channel}", address)
        query = select(addresses).where(
            addresses.c.channel == channel, addresses.c.address_index.in_(indexes)
        )
        return tx.execute(query).first()

    def _welcome(self, tx: Connection, incoming: Incoming, now: datetime) -> int:
        citizen, row = self._ids.new(), self._ids.new()
        tx.execute(insert(citizens).values(id=citizen, created_at=now, language=incoming.language or "el"))
        fresh = insert_once(
            tx,
            addresses,
            id=row,
            citizen_id=citizen,
            channel=incoming.channel,
            address_index=self._vault.indexes(f"address:{incoming.channel}", incoming.address)[0],
            address=self._vault.seal("addresses", row, "address", incoming.address),
            name=self._vault.seal("addresses", row, "name", incoming.name) if incoming.name else None,
            state="open",
            last_in_at=now,
        )
        return citizen if fresh else self._met_meanwhile(tx, incoming, citizen)

    def _met_meanwhile(self, tx: Connection, incoming: Incoming, spare: int) -> int:
        """A stranger's first two messages came at once (PostgreSQL): the other one made the citizen."""
        tx.execute(delete(citizens).where(citizens.c.id == spare))
        known = self._find(tx, incoming.channel, incoming.address)
        if known is None:
            raise LookupError("an address was there and is gone")
        return int(known.citizen_id)
