"""Copies beside writers, and back again: whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from store.backup import BackupError, Copy, put_back, take
from store.clock import ManualClock
from store.database import Database, open_database
from store.ids import Ids
from store.schema import citizens, entries, marks, metadata, tickets
from store.vault import Vault
from tests.bot.floor import Floor, make_floor

Rows = dict[str, list[tuple[Any, ...]]]


def _nothing(_done: float) -> None:
    return None


def _all_rows(tx: Connection) -> Rows:
    return {
        table.name: sorted((tuple(row) for row in tx.execute(select(table)).all()), key=repr)
        for table in metadata.sorted_tables
        if table is not marks
    }


@pytest.fixture
async def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    """A town with a few cases, one of them with everything that is special about a type."""
    floor = make_floor(database, clock, ids, vault)
    for number in range(3):
        citizen = await floor.meet(f"100{number}")
        ticket = await floor.open_ticket(citizen, f"HRK-7F3{number}", risk="red", answers={"όνομα": "Μαρία"})
        await floor.write(lambda tx, t=ticket: floor.record.want_human(tx, t))  # type: ignore[misc]
        await floor.write(lambda tx, t=ticket: floor.record.need_page(tx, t, clock.now()))  # type: ignore[misc]
    return floor


async def _restored(url: str, source: Path) -> tuple[Rows, Copy]:
    copy = await put_back(url, source, lambda _tx, copy: copy, _nothing)
    database = await open_database(url)
    rows = await database.read(_all_rows)
    await database.close()
    return rows, copy


def _empty(url: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Another database of the same kind with nothing in it."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'other' / 'limani.db'}"
    other: str = request.getfixturevalue("second_postgres_url")
    return other


async def test_what_is_restored_is_what_was_there(
    floor: Floor, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shares: list[float] = []
    copy = await take(database_url, tmp_path, floor.clock.now(), shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    rows, told = await _restored(_empty(database_url, request, tmp_path), copy.path)
    assert rows == await floor.db.read(_all_rows)
    assert (told.taken_at, told.schema) == (floor.clock.now(), copy.schema)
    assert [path.name for path in tmp_path.glob("*.partial*")] == []


async def test_a_town_that_outgrows_one_machine_moves_to_postgresql(
    sqlite_url: str, postgres_url: str, clock: ManualClock, ids: Ids, vault: Vault, tmp_path: Path
) -> None:
    database = await open_database(sqlite_url)
    floor = make_floor(database, clock, ids, vault)
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", risk="red")
    await floor.write(lambda tx: floor.record.want_human(tx, ticket))
    await floor.write(lambda tx: floor.record.need_page(tx, ticket, clock.now()))
    before = await database.read(_all_rows)
    await database.close()
    copy = await take(sqlite_url, tmp_path / "small.db", clock.now(), _nothing)
    rows, _ = await _restored(postgres_url, copy.path)
    assert rows == before


async def test_a_copy_under_load_shows_one_instant(
    database: Database, database_url: str, ids: Ids, clock: ManualClock, tmp_path: Path
) -> None:
    """Each commit adds a citizen and raises a counter: a copy that is torn anywhere would disagree."""

    def work(tx: Connection) -> None:
        tx.execute(insert(citizens).values(id=ids.new(), created_at=clock.now(), language="el" * 4))
        tx.execute(text("UPDATE marks SET at = at + 1 WHERE name = 'count'"))

    start = insert(marks).values(name="count", value="", at=clock.now())
    await database.write(lambda tx: tx.execute(start))
    stop, written = asyncio.Event(), 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            await database.write(work)
            written += 1

    writer = asyncio.create_task(write())
    try:
        for number in range(3):
            before = written
            name = tmp_path / f"copy{number}"
            # In a thread with a loop of its own, as the command is a process of its own.
            copy = await asyncio.to_thread(
                lambda name=name: asyncio.run(take(database_url, name, clock.now(), _nothing))  # type: ignore[misc]
            )
            assert written > before, "nobody wrote beside the copy"
            _agree(copy, clock)
    finally:
        stop.set()
        await writer


def _agree(copy: Copy, clock: ManualClock) -> None:
    if copy.path.read_bytes().startswith(b"SQLite"):
        with sqlite3.connect(copy.path) as file:
            (rows,) = file.execute("SELECT count(*) FROM citizens").fetchone()
            (count,) = file.execute("SELECT at FROM marks WHERE name = 'count'").fetchone()
        file.close()
    else:
        rows, count = _counted(copy.path)
    assert rows == count - round(clock.now().timestamp() * 1_000_000)


def _counted(path: Path) -> tuple[int, int]:
    """Rows of citizens, and the counter: the last 8 bytes before COPY's trailer of 2."""
    import json
    import zipfile

    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))["tables"]
        (rows,) = [table["rows"] for table in told if table["name"] == "citizens"]
        piece = archive.read("tables/marks.copy")
    at = piece.index(b"count")
    return rows, int.from_bytes(piece[at + 5 + 4 + 4 : at + 5 + 4 + 4 + 8])


async def test_nothing_is_put_into_a_database_that_holds_something(
    floor: Floor, database_url: str, tmp_path: Path
) -> None:
    copy = await take(database_url, tmp_path / "copy", floor.clock.now(), _nothing)
    before = await floor.db.read(_all_rows)
    with pytest.raises(BackupError, match="not empty"):
        await put_back(database_url, copy.path, lambda _tx, copy: copy, _nothing)
    assert await floor.db.read(_all_rows) == before


async def test_a_copy_that_is_refused_at_the_end_leaves_nothing_behind(
    floor: Floor, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    copy = await take(database_url, tmp_path / "copy", floor.clock.now(), _nothing)
    other = _empty(database_url, request, tmp_path)

    def refuse(_tx: Connection, _copy: Copy) -> None:
        raise BackupError("the keys do not fit")

    with pytest.raises(BackupError, match="keys"):
        await put_back(other, copy.path, refuse, _nothing)
    rows, _ = await _restored(other, copy.path)  # it is as empty as before
    assert rows == await floor.db.read(_all_rows)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
async def test_a_torn_copy_is_told_from_a_whole_one(
    floor: Floor, database_url: str, tmp_path: Path, request: pytest.FixtureRequest, share: float
) -> None:
    copy = await take(database_url, tmp_path / "copy", floor.clock.now(), _nothing)
    whole = copy.path.read_bytes()
    copy.path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BackupError):
        await put_back(_empty(database_url, request, tmp_path), copy.path, lambda _tx, copy: copy, _nothing)


async def test_a_changed_byte_in_a_table_is_found(
    postgres_url: str, second_postgres_url: str, clock: ManualClock, ids: Ids, vault: Vault, tmp_path: Path
) -> None:
    import zipfile

    database = await open_database(postgres_url)
    await make_floor(database, clock, ids, vault).meet()
    await database.close()
    copy = await take(postgres_url, tmp_path / "copy", clock.now(), _nothing)
    with zipfile.ZipFile(copy.path) as archive:
        at = archive.getinfo("tables/addresses.copy").header_offset + 80
    changed = bytearray(copy.path.read_bytes())
    changed[at] ^= 0xFF
    copy.path.write_bytes(changed)
    with pytest.raises(BackupError):
        await put_back(second_postgres_url, copy.path, lambda _tx, copy: copy, _nothing)


async def test_a_backup_overwrites_nothing(sqlite_url: str, clock: ManualClock, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        await take(sqlite_url, there, clock.now(), _nothing)
    assert there.read_text() == "mine"


async def test_what_is_no_database_of_ours_is_not_copied(tmp_path: Path, clock: ManualClock) -> None:
    for number, url in enumerate(("sqlite:////none/x.db", "postgresql://127.0.0.1:1/none")):
        with pytest.raises(BackupError) as caught:
            await take(url, tmp_path / f"copy{number}", clock.now(), _nothing)
        assert "\n" not in str(caught.value)
    with sqlite3.connect(tmp_path / "strange.db") as strange:
        strange.execute("CREATE TABLE pigeons (id INTEGER)")
    strange.close()
    with pytest.raises(BackupError, match="no database of limani"):
        await take(f"sqlite:///{tmp_path / 'strange.db'}", tmp_path / "copy", clock.now(), _nothing)
    assert not list(tmp_path.glob("copy*"))


async def test_a_copy_of_a_newer_program_is_refused(
    floor: Floor, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for statement in ("UPDATE alembic_version SET version_num = '9999'", "UPDATE marks SET value = '9999'"):
        await floor.write(lambda tx, s=statement: tx.execute(text(s)))  # type: ignore[misc]
    copy = await take(database_url, tmp_path / "copy", floor.clock.now(), _nothing)
    with pytest.raises(BackupError, match="newer limani"):
        await put_back(_empty(database_url, request, tmp_path), copy.path, lambda _tx, copy: copy, _nothing)


async def test_entries_stay_append_only_after_a_restore(
    floor: Floor, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    copy = await take(database_url, tmp_path / "copy", floor.clock.now(), _nothing)
    other = _empty(database_url, request, tmp_path)
    await put_back(other, copy.path, lambda _tx, copy: copy, _nothing)
    database = await open_database(other)
    with pytest.raises(Exception, match="append-only"):
        await database.write(lambda tx: tx.execute(update(entries).values(by="nikos")))
    count = select(func.count(tickets.c.id))
    assert await database.read(lambda tx: tx.execute(count).scalar_one()) == 3
    await database.close()
