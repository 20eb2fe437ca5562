"""Citizens and the addresses by which channels reach them. Addresses are found by a blind index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bot.incoming import Incoming
from store.clock import EPOCH
from store.ids import Ids
from store.prepared import Prepared, PreparedInsert, PreparedSet
from store.schema import addresses, citizens
from store.vault import Vault

_BY_INDEX = PreparedSet(
    select(addresses.c.id, addresses.c.citizen_id, addresses.c.address_index).where(
        addresses.c.channel == bindparam("channel")
    ),
    addresses.c.address_index,
)
_BY_CITIZEN = PreparedSet(select(addresses), addresses.c.citizen_id)
_BY_ID = PreparedSet(select(addresses), addresses.c.id)
_WRITES = Prepared(
    update(addresses)
    .where(addresses.c.id == bindparam("row"))
    .values(state="open", last_in_at=bindparam("now"))
)
_NEW_CITIZEN = PreparedInsert(citizens)
_NEW_ADDRESS = PreparedInsert(
    addresses,
    *("id", "citizen_id", "channel", "address_index", "address", "name", "state", "last_in_at"),
    once=("channel", "address_index"),
)


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
        self.wrote(tx, [known.id], now)
        return int(known.citizen_id)

    def known(self, tx: Connection, channel: str, texts: Sequence[str]) -> Mapping[str, Any]:
        """Row (id, citizen_id) of those of these addresses that are no strangers'."""
        by_index = {
            index: text for text in texts for index in self._vault.indexes(f"address:{channel}", text)
        }
        rows = _BY_INDEX.all(tx, list(by_index), channel=channel)
        return {by_index[bytes(row.address_index)]: row for row in rows}

    def wrote(self, tx: Connection, rows: Iterable[int], now: datetime) -> None:
        """Notes that the citizens behind these address rows have written, and so are reachable."""
        _WRITES.many(tx, [{"row": row, "now": now} for row in rows])

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

    def latest(self, tx: Connection, citizen: int) -> Any:
        """The address row that the citizen used last."""
        return self.latest_of(tx, [citizen])[citizen]

    def latest_of(self, tx: Connection, several: Sequence[int]) -> Mapping[int, Any]:
        """The address row that each of these citizens used last."""
        found: dict[int, Any] = {}
        for row in _BY_CITIZEN.all(tx, several):
            before = found.get(row.citizen_id)
            if before is None or _used(row) > _used(before):
                found[row.citizen_id] = row
        return found

    def rows(self, tx: Connection, ids: Sequence[int]) -> Mapping[int, Any]:
        """Address rows by their ids."""
        return {row.id: row for row in _BY_ID.all(tx, ids)}

    def open(self, row: Any) -> Address:
        """An address row made readable."""
        text = self._vault.open("addresses", row.id, "address", row.address)
        return Address(row.id, row.citizen_id, row.channel, text)

    def find(self, tx: Connection, channel: str, address: str) -> int | None:
        """The citizen id behind an address, None for a stranger."""
        known = self._find(tx, channel, address)
        return None if known is None else int(known.citizen_id)

    def _find(self, tx: Connection, channel: str, address: str) -> Any:
        return self.known(tx, channel, [address]).get(address)

    def _welcome(self, tx: Connection, incoming: Incoming, now: datetime) -> int:
        citizen, row = self._ids.new(), self._ids.new()
        _NEW_CITIZEN.run(tx, id=citizen, created_at=now, language=incoming.language or "el")
        fresh = _NEW_ADDRESS.run(
            tx,
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


def _used(address: Any) -> tuple[datetime, int]:
    return address.last_in_at or EPOCH, address.id
