"""Writes the log of a SQLite file back into the file, beside those who write.

SQLite would do it in the middle of a commit, each four megabytes, and whoever waits for that commit would
wait for a thousand pages spread over the whole file: the larger the past, the longer. A connection of its own
does it while others go on; the writer then only finishes what came meanwhile, so that the log begins anew.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()
FROM_BYTES = 4 * 1024 * 1024  # SQLite's own measure: a thousand pages
_EVERY = 0.25  # seconds between two looks at the log's size
_BACK = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """One thread. `finish` belongs to the writer's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._stop = threading.Event()
        self._written_back = False
        self._failed = False
        self._thread = threading.Thread(target=self._serve, name="sqlite-checkpoint", daemon=True)
        self._thread.start()

    def finish(self, driver: Any) -> None:
        """After a commit: what came during a write-back is written back as well, while nobody else writes."""
        if self._written_back:
            self._written_back = False
            with suppress(sqlite3.Error):  # there will be another one
                driver.execute(_BACK).fetchall()

    def close(self) -> None:
        """Ends the thread; a write-back that is under way is waited for."""
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        while not self._stop.wait(_EVERY):
            if self._size() < FROM_BYTES:
                continue
            try:
                connection = connection or self._connect()
                connection.execute(_BACK).fetchall()
                self._written_back, self._failed = True, False
            except sqlite3.Error as error:
                if not self._failed:  # told once: a full disk is told often enough by others
                    log.warning("checkpoint_failed", error=type(error).__name__)
                self._failed = True
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:  # there is no log yet
            return 0
