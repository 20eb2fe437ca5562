"""Which files of a run must be free of a citizen's words: all but those that the rig itself keeps them in."""

from __future__ import annotations

from pathlib import Path

_OURS = ("journal.jsonl", "ledger.jsonl")


def to_search(folder: Path) -> list[Path]:
    """Logs, database files, spools. What a command printed for a responder on stdout may hold words."""
    found = [file for file in folder.rglob("*") if file.is_file() and file.name not in _OURS]
    return [file for file in found if file.suffix != ".out"]
