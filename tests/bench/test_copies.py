"""Copies of a lived-in database are rows that the product itself can read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bench import copies, fill, template
from bench.servers import KEY
from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.incoming import Incoming
from flows.session import StimulusKind
from store.clock import ManualClock
from store.database import open_database
from store.ids import Ids
from store.schema import addresses, inbox
from store.vault import Vault

WORDS = "χρειάζομαι τρόφιμα"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


async def _seed(file: Path) -> Path:
    database = await open_database(f"sqlite:///{file}")
    vault, ids = Vault([KEY]), Ids(ManualClock(NOW))
    kept = Inbox(vault, ids, Citizens(vault, ids))
    said = [
        Incoming(
            channel="telegram",
            address=str(template.FIRST + number),
            provider_key=f"u{number}",
            kind=StimulusKind.said,
            text=WORDS,
        )
        for number in range(3)
    ]
    await database.write(lambda tx: kept.put_all(tx, said, NOW))
    await database.close()
    return file


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing happens in this process: two more would take longer than all of it."""

    def made(seed_file: Path, blocks: int) -> Iterator[dict[str, list[Any]]]:
        copier = copies.Copier(
            copies.read_seed(seed_file), Ids(ManualClock(NOW)).new(), blocks, fill.FIRST_CHAT
        )
        for number in range(blocks):
            yield copier.finished(number, copier.block(number))

    monkeypatch.setattr(fill, "_made", made)


@pytest.mark.usefixtures("here")
async def test_copies_are_found_and_read_by_the_product(sqlite_template: Path, tmp_path: Path) -> None:
    seed = await _seed(Path(shutil.copy(sqlite_template, tmp_path / "seed.db")))
    fill.fill(seed, tmp_path / "full.db", 4)

    database = await open_database(f"sqlite:///{tmp_path / 'full.db'}")
    vault, ids = Vault([KEY]), Ids(ManualClock(NOW))
    citizens = Citizens(vault, ids)
    chats = [
        str(fill.FIRST_CHAT + block * template.BLOCK + number) for block in range(4) for number in range(3)
    ]
    known = await database.read(lambda tx: citizens.known(tx, "telegram", chats))
    assert sorted(known) == sorted(chats)
    taken = await database.write(lambda tx: Inbox(vault, ids, citizens).claim(tx, "worker", NOW))
    assert len(taken) == 12
    assert {one.body["text"] for one in taken} == {WORDS}
    assert [one.id for one in taken] == sorted(one.id for one in taken)
    counted = await database.read(
        lambda tx: tx.execute(select(func.count(func.distinct(inbox.c.provider_key)))).scalar()
    )
    assert counted == 12
    indexes = await database.read(
        lambda tx: tx.execute(select(func.count(func.distinct(addresses.c.address_index)))).scalar()
    )
    assert indexes == 12
    await database.close()
