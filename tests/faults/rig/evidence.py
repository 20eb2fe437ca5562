"""What is there when the dust has settled: the rows of the database, opened, and the providers' journal.

Nothing here judges; `oracle` does. Reading needs the town's key, as the command line does.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from store import schema
from store.peek import peek
from store.vault import Vault
from tests.faults.rig.town import KEY, PHONES

_ATTEMPT = re.compile(r"/webhooks/twilio/(?:call|page-sms)/(\d+)")


@dataclass(slots=True)
class Journal:
    """The providers' own log. shown: what appeared on each citizen's phone, as (text, id), in order."""

    shown: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    requests: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    rang: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    texted: int = 0

    @staticmethod
    def read(path: Path) -> Journal:
        """From a file that `python -m sandbox --journal` or a stand-in's Journal wrote."""
        journal = Journal()
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    journal._take(json.loads(line))
        return journal

    def _take(self, entry: dict[str, Any]) -> None:
        if entry["entry"] == "request":
            params = entry["params"]
            found = _ATTEMPT.search(str(params.get("Url") or params.get("StatusCallback") or ""))
            if entry["provider"] == "twilio" and entry["method"] == "POST" and found:
                self.requests[int(found[1])].append(entry["at"])
        elif entry["kind"] == "sms" and entry["phone"] not in PHONES.values():
            self.shown["sms", entry["phone"]].append((entry["text"], entry["sid"]))
        elif entry["kind"] == "shown":
            self.shown[entry["provider"], entry["phone"]].append((entry["text"], entry["id"]))
        elif entry["kind"] == "rings" and (found := _ATTEMPT.search(entry.get("url", ""))):
            self.rang[int(found[1])].append(entry["call"])
        elif entry["kind"] == "key" and entry["heard"]:
            self.keys[entry["call"]] += entry["key"]


@dataclass(slots=True)
class Stored:
    """Rows of the database. Sealed columns that the oracle needs are opened."""

    inbox: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    pages: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    addresses: dict[int, tuple[str, str]] = field(default_factory=dict)

    @staticmethod
    async def read(url: str) -> Stored:
        """All rows, by a look that changes nothing."""
        found = await peek(url, _rows, seconds=300)  # a hundred thousand messages are many cells to open
        assert found is not None, "no database"
        return found


def _rows(tx: Connection) -> Stored:
    vault = Vault([KEY])
    return Stored(
        inbox=[_opened(vault, row, "inbox", "body") for row in _all(tx, schema.inbox)],
        outbox=[_opened(vault, row, "outbox", "body") for row in _all(tx, schema.outbox)],
        tickets=[dict(row._mapping) for row in _all(tx, schema.tickets)],
        entries=[_opened(vault, row, "entries", "text") for row in _all(tx, schema.entries)],
        pages=[dict(row._mapping) for row in _all(tx, schema.pages)],
        attempts=[dict(row._mapping) for row in _all(tx, schema.attempts)],
        addresses={
            row.id: (row.channel, vault.open("addresses", row.id, "address", row.address))
            for row in _all(tx, schema.addresses)
        },
    )


def _all(tx: Connection, table: Table) -> Iterator[Row[Any]]:
    return iter(tx.execute(select(table).order_by(table.c.id)))


def _opened(vault: Vault, row: Row[Any], table: str, column: str) -> dict[str, Any]:
    values = dict(row._mapping)
    words = vault.open(table, row.id, column, values[column])
    if column == "body" and (table == "outbox" or values.get("kind") != "strange"):
        values[column] = json.loads(words)
    else:
        values[column] = words
    return values
