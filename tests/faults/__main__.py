"""`python -m tests.faults`: the whole rig, one table, JSON under var/faults, exit code 1 on any breach."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from tests.faults.catalogue import FAULTS, Run
from tests.faults.rig.home import ROOT, Home
from tests.faults.rig.report import Line, Report
from tests.faults.rig.verdict import Verdict


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same instants")
    parser.add_argument("--kills", type=int, default=200, help="random kills under flood")
    parser.add_argument("--messages", type=int, default=100_000, help="messages of that flood")
    parser.add_argument("--short", action="store_true", help="the part that CI runs: under three minutes")
    parser.add_argument("--only", action="append", choices=[*FAULTS], help="only this fault; may be repeated")
    parser.add_argument(
        "--point", action="append", default=[], help="with --only crash-points: this point; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="name the faults and end")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "var" / "faults", help="where all of it is kept"
    )
    return parser


async def run(given: argparse.Namespace) -> Report:
    """All chosen faults, one after the other, each in a folder of its own."""
    report = Report(given.seed)
    folder: Path = given.folder / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    chosen = given.only or [name for name, fault in FAULTS.items() if fault.short or not given.short]
    async with Home() as home:
        run = Run(home, folder, given.seed, given.kills, given.messages, given.short, tuple(given.point))
        await run.prepare()
        for name in chosen:
            begun = time.time()
            lines = await _one(run, name)
            for line in lines:
                line.seconds = (time.time() - begun) / len(lines)
                print(
                    f"{line.fault}: {line.cells[-1]} after {line.seconds:.0f} s", file=sys.stderr, flush=True
                )
            report.lines += lines
            report.write(folder / "report.json")
    report.write(given.folder / ("short.json" if given.short else "report.json"))
    return report


async def _one(run: Run, name: str) -> list[Line]:
    """A fault that breaks the rig itself is a broken line, and the others run on."""
    try:
        return await FAULTS[name].work(run.within(name))
    except (AssertionError, TimeoutError, OSError, RuntimeError) as error:
        verdict = Verdict()
        verdict.blame(f"the run broke off: {type(error).__name__} {error!s:.500}")
        return [Line(name, 0, verdict)]


def main() -> int:
    """0 when every invariant held."""
    given = arguments().parse_args()
    if given.list:
        print("\n".join(f"{name:<18} {fault.what}" for name, fault in FAULTS.items()))
        return 0
    report = asyncio.run(run(given))
    print(report.table())
    print(report.details())
    print("every invariant held" if report.good else "AN INVARIANT IS BROKEN", f"(seed {given.seed})")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
