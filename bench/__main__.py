"""`python -m bench [--only ROW ...] [--quick]`: measures, prints one table, writes JSON and a plot.

Exit code 1 when a figure misses what it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import shutil
import sys
import time
from pathlib import Path

from bench import cores, plot, table
from bench.goals import GOALS, ROWS
from bench.run import CACHE, Figures, RowFailed, Run, say
from limani.serve import run_async


def main() -> int:
    """Runs the rows."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument(
        "--quick", action="store_true", help="seconds instead of minutes; figures mean little"
    )
    parser.add_argument("--folder", type=Path, default=CACHE / "run", help="where servers keep their files")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    cores.pin(0, cores.LOAD)
    begun = time.monotonic()
    figures: Figures = {}
    failures: dict[str, str] = {}
    run_async(_all(Run(given.folder, given.quick), given.only, figures, failures))
    lines = table.rows_of(figures, failures)
    print(table.as_text(lines))
    table.write_json(CACHE / "bench.json", figures, failures, time.monotonic() - begun, given.quick)
    plot.write(CACHE / "bench.svg", figures)
    return int(any(line[-1] == "FAILS" for line in lines) and not given.quick)


async def _all(run: Run, rows: tuple[str, ...], figures: Figures, failures: dict[str, str]) -> None:
    for row in rows:
        whats = [goal.what for goal in GOALS if goal.row == row]
        say(f"{row}: {whats[0]}")
        begun = time.monotonic()
        try:
            figures |= await importlib.import_module(f"bench.rows.{row}").measure(run)
        except (RowFailed, RuntimeError, TimeoutError, OSError) as error:
            failures[row] = f"{type(error).__name__}: {error}"
            say(f"  failed: {failures[row]}")
        say(f"  {time.monotonic() - begun:.0f} s")
        await asyncio.sleep(0)


if __name__ == "__main__":
    sys.exit(main())
