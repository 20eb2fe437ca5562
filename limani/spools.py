"""Which spool file is this process's own: no two processes may write, or empty, the same one.

A process holds the lock of its file as long as it lives. What a process that is gone has left (a container
that came back with another port, a server that is not started any more) is moved into the file of the next
one that starts, so that nothing waits for a process that never returns.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from store.backup import sync_folder

MOST = 64  # processes of one port in one folder


def own_spool(folder: Path, port: int) -> tuple[Path, IO[bytes]]:
    """The file, and the lock that holds it until the process ends. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(MOST):
        path = folder / (f"spool-{port}.{number}.log" if number else f"spool-{port}.log")
        lock = _lock(path)
        if lock is not None:
            _adopt(folder, path)
            return path, lock
    raise OSError(f"{MOST} processes hold the spools of port {port}")


def _lock(path: Path) -> IO[bytes] | None:
    lock = path.with_suffix(".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _adopt(folder: Path, path: Path) -> None:
    """Moves what nobody holds into our file; it is on disk there before it is gone here."""
    for other in sorted(folder.glob("spool-*.log")):
        if other == path or not other.stat().st_size:
            continue
        lock = _lock(other)
        if lock is None:
            continue
        with lock, path.open("a+b") as ours:
            ours.write(_break(ours) + other.read_bytes().rstrip(b"\n") + b"\n")
            ours.flush()
            os.fsync(ours.fileno())
            sync_folder(folder)
            other.unlink()


def _break(file: IO[bytes]) -> bytes:
    """What ends a line that a crash has cut: it must spoil no other."""
    end = file.seek(0, os.SEEK_END)
    if not end:
        return b""
    file.seek(end - 1)
    return b"" if file.read(1) == b"\n" else b"\n"
