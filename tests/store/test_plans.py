"""What is asked all the time is answered by an index: a million rows cost what ten cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from console.watch import look
from escalation.progress import _acknowledged, _searching
from escalation.watch import next_due, pageless, unattended
from limani.metrics import database_figures
from limani.presence import beats
from store.database import Database
from tests.plans import whole_scans
from tickets.search import live_pages, queue, red_alone, topics

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ASKED: dict[str, Callable[[Connection], Any]] = {
    "a scrape": lambda tx: database_figures(tx, NOW),
    "the console's look": lambda tx: look(tx, NOW - timedelta(hours=1)),
    "the queue": lambda tx: queue(tx, "eleni"),
    "red cases alone": red_alone,
    "topics": topics,
    "live pages": live_pages,
    "unattended": lambda tx: unattended(tx, NOW),
    "red cases without a page": pageless,
    "what the pager waits for": next_due,
    "whom the pager looks for": _searching,
    "second clocks": lambda tx: tx.execute(_acknowledged()).all(),
    "roles": lambda tx: beats(tx, ("web", "pager")),
}


@pytest.mark.parametrize("name", list(ASKED))
async def test_no_table_is_read_from_end_to_end(database: Database, name: str) -> None:
    whole, steps = await database.write(lambda tx: whole_scans(tx, ASKED[name]))
    assert steps
    assert whole == []


async def test_a_whole_scan_would_be_seen(database: Database) -> None:
    def scan(tx: Connection) -> Any:
        return tx.execute(text("SELECT outcome FROM tickets WHERE outcome = 'helped'")).all()

    whole, _ = await database.write(lambda tx: whole_scans(tx, scan))
    assert len(whole) == 1
