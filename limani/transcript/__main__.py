"""`python -m limani.transcript [--update] FILE ...`: plays transcripts, shows or writes what happened."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
from pathlib import Path

from limani.logs import set_up_logs
from limani.transcript.play import play
from limani.transcript.script import ScriptError


async def _play_all(paths: list[Path], update: bool) -> int:
    different = 0
    for path in paths:
        try:
            happened = await play(path)
        except (ScriptError, AssertionError, LookupError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            different += 1
            continue
        kept = path.read_text(encoding="utf-8")
        if happened == kept:
            continue
        different += 1
        if update:
            path.write_text(happened, encoding="utf-8")
        else:
            lines = difflib.unified_diff(kept.splitlines(), happened.splitlines(), str(path), "what happened")
            print("\n".join(lines))
    return different


def main() -> int:
    """Exit code 1 when something is different and was not written."""
    parser = argparse.ArgumentParser(prog="python -m limani.transcript", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--update", action="store_true", help="write the outputs that happened")
    given = parser.parse_args()
    set_up_logs("error")
    files = [
        found for path in given.files for found in (sorted(path.rglob("*.md")) if path.is_dir() else [path])
    ]
    different = asyncio.run(_play_all(files, given.update))
    print(f"{len(files)} transcripts, {different} {'written' if given.update else 'different'}")
    return 1 if different and not given.update else 0


if __name__ == "__main__":
    raise SystemExit(main())
