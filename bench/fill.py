"""Makes a database of any size: a migrated, empty file, filled with copies of the seed as fast as it goes.

Indexes are taken away for the filling and made again from their own words, so that the file ends as if the
product had written it. Two processes seal while this one writes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Table

from bench import copies, cores, talk, template
from bench.copies import TABLES, Copier, Row, Seed
from bench.run import CACHE, say
from bench.servers import ROOT
from store.ids import first_id

FIRST_CHAT = 2_000_000_000  # a multiple of the number of talks
AGE = timedelta(days=30)  # how long ago the newest of the copies wrote
_AT_ONCE = 8  # copies in one parcel from a sealing process
_copier: Copier


def _insert(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"


_INSERTS = {table.name: _insert(table) for table in TABLES}


def wanted_blocks(seed: Seed, citizens: int, messages: int) -> int:
    """How many copies have at least so many citizens and messages."""
    each = len(seed.rows["inbox"]) + len(seed.rows["outbox"])
    return max(-(-citizens // template.BLOCK), -(-messages // each))


async def database(name: str, citizens: int, messages: int, work: Path) -> tuple[Path, int]:
    """The file of this name from the cache, made first where it is missing; and its copies of the seed."""
    place = CACHE / f"size-{_key()}"
    mark = place / f"{name}-{citizens}-{messages}.blocks"
    if mark.exists():
        return mark.with_suffix(".db"), int(mark.read_text())
    place.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob("size-*"):
        if old != place:
            shutil.rmtree(old)
    seed_file = await template.make(work / f"seed-{name}")
    blocks = wanted_blocks(copies.read_seed(seed_file), citizens, messages)
    say(f"  making {name}.db: {blocks * template.BLOCK:,} citizens (kept in {place.name})")
    fill(seed_file, mark.with_suffix(".db"), blocks)
    mark.write_text(str(blocks))
    return mark.with_suffix(".db"), blocks


def _key() -> str:
    """Changes with the schema, with what the seed says, and with how copies are made."""
    files = [*sorted((ROOT / "store" / "migrations" / "versions").glob("*.py")), ROOT / "store" / "schema.py"]
    files += [Path(str(module.__file__)) for module in (talk, template, copies)]
    files += [Path(__file__), ROOT / "store" / "vault.py", ROOT / "flows" / "session_json.py"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def fill(seed_file: Path, file: Path, blocks: int) -> None:
    """Writes `blocks` copies of the seed into a new file with the seed's schema."""
    shutil.copy(seed_file, file)
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-800000"):
        connection.execute(f"PRAGMA {pragma}")
    for table in reversed([*TABLES]):
        connection.execute(f"DELETE FROM {table.name}")
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = connection.execute(query).fetchall()
    for index, _ in indexes:
        connection.execute(f'DROP INDEX "{index}"')
    connection.execute("BEGIN")
    for number, made in enumerate(_made(seed_file, blocks), 1):
        for table in TABLES:
            connection.executemany(_INSERTS[table.name], made[table.name])
        _bar(number * _AT_ONCE, blocks)
    connection.execute("COMMIT")
    for _, sql in indexes:
        connection.execute(sql)
    connection.close()


def _made(seed_file: Path, blocks: int) -> Iterator[dict[str, list[Row]]]:
    """The rows of all copies, in order of their ids."""
    newest = first_id(datetime.now(UTC) - AGE)
    parcels = [range(at, min(at + _AT_ONCE, blocks)) for at in range(0, blocks, _AT_ONCE)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _begin, (seed_file, newest, blocks)) as pool:
        yield from pool.imap(_parcel, parcels)


def _begin(seed_file: Path, newest: int, blocks: int) -> None:
    global _copier
    cores.pin(0, *cores.ALL)
    _copier = Copier(copies.read_seed(seed_file), newest, blocks, FIRST_CHAT)


def _parcel(numbers: range) -> dict[str, list[Row]]:
    together: dict[str, list[Row]] = {table.name: [] for table in TABLES}
    for number in numbers:
        for table, rows in _copier.finished(number, _copier.block(number)).items():
            together[table] += rows
    return together


_last_shown = 0.0


def _bar(done: int, total: int) -> None:
    """A bar on a terminal, nothing elsewhere."""
    global _last_shown
    if sys.stderr.isatty() and (time.monotonic() - _last_shown > 0.2 or done >= total):
        _last_shown = time.monotonic()
        share = min(1.0, done / total)
        end = "\n" if done >= total else ""
        print(f"\r  [{'#' * int(share * 40):<40}] {share:4.0%}", end=end, file=sys.stderr, flush=True)
