"""`python -m bench.day [--share 0.008]`: runs the worst day, prints one table, writes JSON and a plot.

--share 1.0     every inhabitant through the real product (hours)
--set NAME=VALUE  another value of numbers.yaml, to see what an assumption is worth
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from typing import Any

import yaml

from bench.day import cost, humans, paper, plan, report, sample
from bench.day.demand import arrivals
from bench.day.idle import measure_idle
from bench.day.numbers import Numbers, load_numbers
from bench.day.shard import Job, fsync_seconds, split
from bench.day.team import Team
from bench.day.towns import make_towns, write_profile
from bench.day.towns import sample as sample_of
from config.profile import Profile

CACHE = Path("var/worst-day")
END = 24.5 * 3600


def main() -> None:
    """Runs everything."""
    given = _given()
    numbers = _numbers(given.set)
    _open_files()
    with Team(given.processes, quiet=not sys.stderr.isatty()) as team:
        result = measure(numbers, given, team)
    report.write(result, given.folder)
    print(report.table(result))
    print(f"written: {given.folder}/worst-day.json, {given.folder}/worst-day.svg")


def measure(numbers: Numbers, given: argparse.Namespace, team: Team) -> dict[str, Any]:
    """All parts of the day."""
    towns = make_towns(numbers)
    _check_profiles(numbers, given.folder / "profiles")
    some = sample_of(towns, given.share)
    region = some[0].region
    cut = (region, (region + 1) % int(numbers["regions"]))
    fsync = fsync_seconds(given.folder)
    team.say("what a message costs, and an idle town")
    first = team.all([_cost_job(numbers, given)], idle=(measure_idle, (numbers, given.folder / "idle")))
    team.say("the day of the sample, and the rosters")
    people = arrivals(some, numbers, given.seed, cut=cut)
    parts = split(some, people, given.processes)
    jobs = [
        Job(f"towns {at + 1}", specs, mine, numbers, given.seed, given.folder / f"run{at}", fsync, END)
        for at, (specs, mine) in enumerate(parts)
    ]
    rosters = humans.rosters(given.each)
    jobs += [_roster_job(roster, numbers, given) for roster in rosters]
    done = team.all(jobs)
    run = sample.merged(done[: len(parts)], fsync)
    spent = cost.fit(first[0]["ledger"]["batches"])
    idle = {**first[1], "each": plan.per_town(first[1], len(towns))}
    team.say("the country, on paper")
    duty = float(numbers["on_duty_per_100000"])
    staffed = list(zip(rosters, done[len(parts) :], strict=True))
    calls = [(roster, sample.call_offsets(part["towns"])) for roster, part in staffed]
    run["calls_cut"] = [one for roster, some in calls if roster.cut for one in some]
    run["calls_calm"] = [
        one for roster, some in calls if not roster.cut and roster.per_100000 == duty for one in some
    ]
    nation = paper.country(numbers, towns, run, spent, given.seed, region)
    result = {
        "share": given.share,
        "seed": given.seed,
        "fsync_us": fsync * 1e6,
        "run": run,
        "cost": spent,
        "idle": idle,
        "country": nation,
        "variations": paper.variations(numbers, towns, run, spent, given.seed, region),
        "humans": [
            {"name": roster.name, "per_100000": roster.per_100000, **sample.clocks(part["towns"])}
            for roster, part in staffed
        ],
    }
    result["internet"] = [paper.internet(numbers, nation, spent, duty, times) for times in (1, 10, 100)]
    result["limits"] = plan.limits(numbers, result)
    return result


def _cost_job(numbers: Numbers, given: argparse.Namespace) -> Job:
    stepped = cost.in_step(numbers)
    specs, people = cost.group_arrivals(stepped, given.rounds)
    return Job("cost", specs, people, stepped, given.seed, given.folder / "cost", 0.0, 1e6)


def _roster_job(roster: humans.Roster, numbers: Numbers, given: argparse.Namespace) -> Job:
    people = roster.cases(numbers, given.seed + 1)
    folder = given.folder / f"roster-{roster.on_duty}-{roster.inhabitants}-{roster.cut:d}"
    return Job(
        roster.name, roster.specs(numbers), people, numbers, given.seed, folder, 0.0, roster.until(numbers)
    )


def _check_profiles(numbers: Numbers, folder: Path) -> None:
    """All of them, really written and really validated. Raises ProfileError."""
    for town in make_towns(numbers):
        Profile.load(write_profile(town, folder / f"{town.number:03d}"))


def _open_files() -> None:
    """Every town holds some files and sockets."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _numbers(changes: list[str]) -> Numbers:
    others = {name: yaml.safe_load(value) for name, _, value in (change.partition("=") for change in changes)}
    return load_numbers().but(**others)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.day")
    parser.add_argument(
        "--share", type=float, default=0.008, help="of the inhabitants, as whole municipalities"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--each", type=int, default=2, help="towns of 100,000 for each roster")
    parser.add_argument("--rounds", type=int, default=2, help="groups of each size for the cost of a message")
    parser.add_argument("--folder", type=Path, default=CACHE)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
