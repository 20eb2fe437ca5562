"""The bucket under the door: when the database does not answer, arrivals go to a file, fsynced.

Each line is sealed, so the file is as unreadable as the database. When the store is back the lines are
put through the same unique keys, and the file is emptied only after they are all in.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from dataclasses import asdict
from pathlib import Path
from threading import Lock

import structlog

from bot.incoming import Arrival, Incoming, Left, NotUnderstood, Receipt
from flows.session import StimulusKind
from store.points import reach
from store.vault import SealBroken, Vault

log = structlog.get_logger()
_KINDS = {kind.__name__: kind for kind in (Incoming, Receipt, Left, NotUnderstood)}
MOST_BYTES = 512 * 1024 * 1024  # past this we say 503 and let the provider keep the message


class SpoolFull(Exception):
    """The bucket has no more room, or the disk does not take it."""


class Spool:
    """One append-only file, used from threads."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self._vault = vault
        self._lock = Lock()
        self._size = self._measured()  # the file is this process's own; asking the disk costs too much

    async def append(self, arrival: Arrival) -> None:
        """Keeps an arrival on disk; returns after the fsync. Raises SpoolFull."""
        try:
            await asyncio.to_thread(self._append, arrival)
        except OSError as error:
            raise SpoolFull from error

    def _append(self, arrival: Arrival) -> None:
        words = json.dumps({"is": type(arrival).__name__, **asdict(arrival)}, ensure_ascii=False)
        line = base64.b64encode(self._vault.seal("spool", 0, "line", words)) + b"\n"
        with self._lock:
            before = self._measured()
            if before + len(line) > MOST_BYTES:
                raise SpoolFull
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write(self._path, line, before)
            finally:
                self._size = self._measured()

    def size(self) -> int:
        """Bytes that wait in the file."""
        return self._size

    def _measured(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:  # not there yet, or not to be had: an append will say which
            return 0

    def read(self) -> tuple[list[Arrival], int]:
        """The arrivals that wait, and up to which byte they reach. A torn line was never acknowledged and
        is left out; one that no key opens is kept beside the file for whoever still has the key."""
        with self._lock:
            content = self._path.read_bytes() if self._path.exists() else b""
        arrivals: list[Arrival] = []
        for line in content.split(b"\n")[:-1]:
            try:
                arrivals.append(self._open(line))
            except (SealBroken, ValueError):
                self._put_aside(line)
        return arrivals, len(content)

    def _put_aside(self, line: bytes) -> None:
        if len(line) % 4:
            return  # torn: the provider was told 503, or nothing at all, and sends it again
        aside = self._path.with_suffix(".unread")
        known = aside.read_bytes().split(b"\n") if aside.exists() else []
        if line not in known:
            log.error("spool_line_unread", bytes=len(line))
            _write(aside, line + b"\n", aside.stat().st_size if known else 0)

    def _open(self, line: bytes) -> Arrival:
        words = json.loads(self._vault.open("spool", 0, "line", base64.b64decode(line)))
        kind = _KINDS[words.pop("is")]
        if kind is Incoming:
            words["kind"] = StimulusKind(words["kind"])
            words["place"] = tuple(words["place"]) if words["place"] else None
        return kind(**words)

    def forget(self, up_to: int) -> None:
        """Drops the first `up_to` bytes: they are in the database now."""
        with self._lock:
            rest = self._path.read_bytes()[up_to:]
            reach("spool.forget")
            if rest:
                fresh = self._path.with_suffix(".rest")
                fresh.unlink(missing_ok=True)
                _write(fresh, rest, 0)
                os.replace(fresh, self._path)
            else:
                self._path.unlink()
            self._size = self._measured()


def _write(path: Path, line: bytes, before: int) -> None:
    """Appends and returns when it is on disk; a line that a full disk has cut is taken back, and one that a
    crash has cut is ended, so that it spoils no other."""
    with path.open("a+b", buffering=0) as file:
        file.seek(max(0, before - 1))
        torn = before > 0 and file.read(1) != b"\n"
        whole = b"\n" + line if torn else line
        try:
            if file.write(whole) != len(whole):
                raise OSError("the disk is full")
            reach("spool.write")
            os.fsync(file.fileno())
            reach("spool.written")
        except OSError:
            file.truncate(before)
            raise
    if not before:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A new file is only safe when the folder that names it is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
