"""An append-only file of JSON lines, flushed to the disk line by line.

For fault rigs: when everything else was killed, this file still says what the citizens' and responders'
phones had really seen. A kill takes nothing that was written; only a power cut needs the force to the disk,
so a rig that floods may do without it (`sync=False`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """One file; `write` returns only after the line is on the disk (or, without `sync`, with the kernel)."""

    def __init__(self, path: Path, sync: bool = True) -> None:
        self.path = path
        self._sync = sync
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def write(self, entry: dict[str, Any]) -> None:
        """Append one entry and force it to the disk."""
        self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        self._file.flush()
        if self._sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Release the file; the lines stay."""
        self._file.close()

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        """All whole lines of a journal; a torn last line is left out."""
        lines = path.read_text("utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]
