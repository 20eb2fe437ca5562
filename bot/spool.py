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

from bot.incoming import Arrival, Incoming, Left, NotUnderstood, Receipt
from flows.session import StimulusKind
from store.vault import Vault

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
            if self.size() + len(line) > MOST_BYTES:
                raise SpoolFull
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def size(self) -> int:
        """Bytes that wait in the file."""
        return self._path.stat().st_size if self._path.exists() else 0

    def read(self) -> tuple[list[Arrival], int]:
        """The arrivals that wait, and up to which byte they reach. A torn last line was never
        acknowledged and is left out."""
        with self._lock:
            content = self._path.read_bytes() if self._path.exists() else b""
        lines = content.split(b"\n")[:-1]
        return [self._open(line) for line in lines], len(content)

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
            if rest:
                fresh = self._path.with_suffix(".rest")
                fresh.write_bytes(rest)
                os.replace(fresh, self._path)
            else:
                self._path.unlink()
