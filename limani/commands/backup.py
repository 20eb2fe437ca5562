"""limani backup | restore"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import typer
from sqlalchemy import Connection

from config.settings import Settings
from limani.alone import hold_file, keys_open
from limani.commands.offline import given_settings
from limani.commands.told import Told
from limani.restored import HOLD, Woken, wake
from store.backup import BackupError, Copy, Progress, put_back, take
from store.clock import SystemClock, rfc3339
from store.ids import Ids
from store.vault import Vault
from tickets.record import Record

T = TypeVar("T")
_STEPS = 1000  # of a bar
_KINDNESS = 10  # the copy takes what the server leaves of the processor


def run_backup(target: Path) -> None:
    """Copies the database beside a running server."""
    settings = given_settings()
    os.nice(_KINDNESS)
    with _bar("backup") as progress, _stops():
        copy = _run(take(settings.database_url, target, SystemClock().now(), progress))
    size = copy.path.stat().st_size
    typer.echo(f"{copy.path}: {size} bytes, schema {copy.schema}, as of {rfc3339(copy.taken_at)}")


def run_restore(source: Path) -> None:
    """Fills an empty database from a copy, and says what is not in it."""
    settings = given_settings()
    vault = _vault(settings)
    clock = SystemClock()
    record = Record(vault, Ids(clock))

    def finish(tx: Connection, copy: Copy) -> tuple[Copy, Woken]:
        if not keys_open(tx, vault):
            raise BackupError(
                "LIMANI_SECRET_KEYS does not open this backup: put the key that sealed it behind the new one"
            )
        return copy, wake(tx, record, clock.now())

    with _held(settings), _bar("restore") as progress, _stops():
        copy, woken = _run(put_back(settings.database_url, source, finish, progress))
    _report(copy, woken, clock.now())


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BackupError as error:
        raise Told(str(error)) from None


def _vault(settings: Settings) -> Vault:
    if not settings.secret_keys:
        raise Told("LIMANI_SECRET_KEYS is missing: a backup is as sealed as the database that it was")
    return Vault(settings.secret_keys)


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """No server may begin to serve a SQLite file that is being put back."""
    try:
        lock = hold_file(settings.database_url)
    except (ValueError, OSError) as error:
        raise Told(str(error)) from None
    try:
        yield
    finally:
        if lock is not None:
            lock.close()


def _report(copy: Copy, woken: Woken, now: datetime) -> None:
    typer.echo(f"restored: schema {copy.schema}, as of {rfc3339(copy.taken_at)}")
    newest = woken.newest or copy.taken_at
    typer.echo(
        f"gap: nothing after {rfc3339(newest)} is in it ({_span(now - newest)}); what was answered "
        "200 since then is lost, what was not is repeated by Telegram for 24 hours and by Viber for one"
    )
    if woken.rings:
        typer.echo(f"{woken.rings} pages ring on as soon as a pager runs")
    if woken.held:
        minutes = int(HOLD.total_seconds() // 60)
        typer.echo(
            f"{len(woken.held)} older cases may have been taken since; look at them now, they ring in "
            f"{minutes} minutes: {', '.join(woken.held)}"
        )
    if woken.unsent:
        typer.echo(f"{woken.unsent} old messages to citizens are not sent any more; their cases say so")
    typer.echo("whoever was erased after the backup is back: run `limani erase` for them, and `retention`")


def _span(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def _bar(word: str) -> Iterator[Progress]:
    """A bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    with typer.progressbar(length=_STEPS, label=word, file=sys.stderr) as bar:
        yield lambda done: bar.update(round(done * _STEPS) - bar.pos)


@contextmanager
def _stops() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does: the half copy is taken away."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = None
    with suppress(ValueError):  # only the main thread may; elsewhere nobody sends us signals
        before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
