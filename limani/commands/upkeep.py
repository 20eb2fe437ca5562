"""limani migrate | erase | retention"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta

import typer

from limani.commands import offline
from limani.commands.told import Told
from limani.parts import Parts
from store.database import Database, StoreUnavailable, open_database
from tickets.erase import KINDS, Eraser, StillOpen


def run_migrate() -> None:
    """Brings the database to the newest schema; needs no keys."""
    from store.migrate import HEAD

    settings = offline.given_settings()

    async def main() -> None:
        database = await open_database(settings.database_url)
        await database.close()

    try:
        asyncio.run(main())
    except StoreUnavailable as error:
        raise Told(str(error)) from None
    typer.echo(f"the database is at schema {HEAD}")


def run_erase(ref: str, yes: bool) -> None:
    """Forgets the citizen of a ticket: all of his or her tickets, on every channel."""

    async def look(parts: Parts) -> tuple[int, str]:
        row = await parts.db.read(lambda tx: parts.record.by_ref(tx, ref))
        if row is None:
            raise Told(f"there is no ticket {ref}")
        return int(row.citizen_id), str(row.ref)

    async def forget(parts: Parts) -> int:
        eraser = Eraser(parts.vault, parts.ids)
        return await parts.db.write(lambda tx: eraser.erase(tx, citizen, parts.clock.now()))

    citizen, spoken = offline.run(look)
    if not yes:
        _ask(spoken)
    try:
        count = offline.run(forget)
    except StillOpen as still:
        raise Told(f"close {', '.join(still.refs)} first: somebody still works with these words") from None
    typer.echo(f"{spoken}: {count} values of this citizen are empty now")


def run_retention(days: int) -> None:
    """Forgets what has been over for longer than `days`, a small transaction at a time."""
    if days < 1:
        raise Told("--days is at least 1")

    async def work(parts: Parts) -> tuple[int, int]:
        now = parts.clock.now()
        return await keep_no_longer(parts.db, Eraser(parts.vault, parts.ids), now, days)

    values, people = offline.run(work)
    typer.echo(f"{values} values are empty now, and {people} citizens are strangers again")


async def keep_no_longer(db: Database, eraser: Eraser, now: datetime, days: int) -> tuple[int, int]:
    """How many values were emptied, and how many citizens forgotten altogether."""
    try:
        before = now - timedelta(days=days)
    except OverflowError:
        return 0, 0  # nothing is as old as that

    values = people = 0
    for kind in range(KINDS):
        after = -1
        while rows := await db.read(lambda tx, kind=kind, after=after: eraser.over(tx, before, kind, after)):  # type: ignore[misc]
            values += await db.write(lambda tx, k=kind, r=rows: eraser.empty(tx, before, k, r))  # type: ignore[misc]
            after = rows[-1]
    after = -1
    while found := await db.read(lambda tx, after=after: eraser.silent(tx, before, after)):  # type: ignore[misc]
        people += await db.write(lambda tx, found=found: eraser.forget(tx, before, found, now))  # type: ignore[misc]
        after = found[-1]
    return values, people


def _ask(ref: str) -> None:
    """A person types the reference again; a program has to say --yes."""
    if not sys.stdin.isatty():
        raise Told("erasing cannot be undone: say --yes")
    if typer.prompt(f"Everything that the citizen of {ref} said is lost. Type the reference again") != ref:
        raise Told("nothing was erased")
