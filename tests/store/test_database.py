"""The floor under both databases: durable, isolated, append-only, unavailable said plainly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from store.clock import ManualClock, monotonic
from store.database import Database, StoreUnavailable, open_database
from store.ids import Ids
from store.insert import insert_once, put
from store.migrate import HEAD, MIGRATIONS, current
from store.schema import citizens, entries, marks, metadata, tickets
from store.vault import Vault
from tickets.record import Case, Record


def _citizen(tx: Connection, ids: Ids, clock: ManualClock) -> int:
    row = ids.new()
    tx.execute(insert(citizens).values(id=row, created_at=clock.now(), language="el"))
    return row


def _count(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(citizens)).scalar_one())


async def test_written_work_is_read_back(database: Database, ids: Ids, clock: ManualClock) -> None:
    row = await database.write(lambda tx: _citizen(tx, ids, clock))
    found = await database.read(lambda tx: tx.execute(select(citizens)).one())
    assert (found.id, found.created_at) == (row, clock.now())


async def test_a_failed_piece_of_work_leaves_its_neighbours_alone(
    database: Database, ids: Ids, clock: ManualClock
) -> None:
    def broken(tx: Connection) -> None:
        _citizen(tx, ids, clock)
        raise KeyError("mine")

    works = [database.write(lambda tx: _citizen(tx, ids, clock)) for _ in range(10)]
    outcome = await asyncio.gather(*works, database.write(broken), return_exceptions=True)
    assert [type(result) for result in outcome] == [int] * 10 + [KeyError]
    assert await database.read(_count) == 10


async def test_concurrent_writers_lose_nothing(database: Database, ids: Ids, clock: ManualClock) -> None:
    await asyncio.gather(*(database.write(lambda tx: _citizen(tx, ids, clock)) for _ in range(200)))
    assert await database.read(_count) == 200


async def test_insert_once_and_put(database: Database, clock: ManualClock) -> None:
    def work(tx: Connection) -> tuple[bool, bool, str]:
        first = insert_once(tx, marks, "name", name="a", value="1", at=clock.now())
        second = insert_once(tx, marks, "name", name="a", value="2", at=clock.now())
        put(tx, marks, "name", name="a", value="3", at=clock.now())
        return first, second, tx.execute(select(marks.c.value).where(marks.c.name == "a")).scalar_one()

    assert await database.write(work) == (True, False, "3")


async def test_entries_are_append_only(
    database: Database, ids: Ids, clock: ManualClock, vault: Vault
) -> None:
    record = Record(vault, ids)

    def open_one(tx: Connection) -> int:
        case = Case("HRK-7F3K", _citizen(tx, ids, clock), "food_aid", "none", None, "web", "el", {})
        return record.open(tx, case, clock.now())

    ticket = await database.write(open_one)
    forged = update(entries).where(entries.c.ticket_id == ticket).values(by="nikos")
    with pytest.raises(DBAPIError):
        await database.write(lambda tx: tx.execute(forged))
    assert await database.read(lambda tx: tx.execute(select(entries.c.by)).scalar_one()) == "system"


async def test_a_reference_is_unique(database: Database, ids: Ids, clock: ManualClock, vault: Vault) -> None:
    record = Record(vault, ids)

    def open_one(tx: Connection) -> int:
        case = Case("HRK-7F3K", _citizen(tx, ids, clock), "food_aid", "none", None, "web", "el", {})
        return record.open(tx, case, clock.now())

    await database.write(open_one)
    with pytest.raises(IntegrityError):
        await database.write(open_one)
    assert await database.read(lambda tx: tx.execute(select(func.count(tickets.c.id))).scalar_one()) == 1


async def test_every_table_is_made_by_the_migrations(database: Database) -> None:
    for table in metadata.sorted_tables:
        await database.read(lambda tx, t=table: tx.execute(select(t)).all())  # type: ignore[misc]
    assert await database.read(current) == HEAD


async def test_the_migrations_make_exactly_the_schema(database: Database) -> None:
    def differences(tx: Connection) -> list[object]:
        context = MigrationContext.configure(tx, opts={"compare_type": False})
        return list(compare_metadata(context, metadata))

    assert await database.read(differences) == []


def test_head_names_the_newest_migration() -> None:
    newest = max(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert newest.startswith(f"{HEAD}_")


async def test_a_second_opening_finds_everything(tmp_path: Path, ids: Ids, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path / 'twice.db'}"
    for expected in (1, 2):
        database = await open_database(url)
        await database.write(lambda tx: _citizen(tx, ids, clock))
        assert await database.read(_count) == expected
        await database.close()


async def test_sqlite_is_as_durable_as_it_claims(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path / 'pragmas.db'}")

    def pragmas(tx: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [tx.execute(text(f"PRAGMA {name}")).scalar() for name in names]

    assert await database.write(pragmas) == ["wal", 2, 1]
    with pytest.raises(StoreUnavailable):
        await database.read(lambda tx: tx.execute(text("CREATE TABLE sneaky (id INTEGER)")))
    await database.close()


@pytest.mark.parametrize(
    "url", ["sqlite:///", "mysql://x", "sqlite:////proc/nowhere/x.db", "postgresql://127.0.0.1:1/none"]
)
async def test_a_database_that_cannot_be_opened_is_one_clear_sentence(url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await open_database(url)
    assert "\n" not in str(caught.value)


async def test_the_log_of_a_sqlite_file_is_written_back_beside_the_writers_and_begins_anew(
    sqlite_url: str,
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    log = path.with_name(f"{path.name}-wal")
    database = await open_database(sqlite_url)
    words = "λέξη " * 20_000

    def note(tx: Connection) -> None:
        tx.execute(marks.delete())
        tx.execute(marks.insert().values(name="long", value=words, at=datetime(2026, 11, 24, tzinfo=UTC)))

    written, longest = 0, 0
    end = monotonic() + 3.0
    while monotonic() < end:
        await database.write(note)
        written, longest = written + len(words.encode()), max(longest, log.stat().st_size)
        await asyncio.sleep(0.002)
    assert written > 40_000_000
    assert longest < written / 2
    assert await database.read(lambda tx: tx.execute(select(marks.c.value)).scalar_one()) == words
    await database.close()
