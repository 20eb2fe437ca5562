"""332 municipalities by rule: sizes with a heavy tail, a profile folder each, and a sample of them.

Names are numbers, phones do not exist. Everything else of a profile is Heraklion's, so that each one is as
large as a real one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import Any

import yaml

from bench.day.numbers import Numbers
from config.settings import DEFAULT_PROFILE

SAME = ("facts.yaml", "services.yaml", "hotlines.yaml")


@dataclass(frozen=True, slots=True)
class TownSpec:
    """One municipality. `on_duty` people are on call, besides one supervisor."""

    number: int  # 1 = the largest
    population: int
    region: int
    on_duty: int

    @property
    def name(self) -> str:
        return f"Δήμος {self.number:03d}"

    @property
    def prefix(self) -> str:
        """Of its references: two letters of its own behind a D."""
        return "D" + "".join(chr(65 + self.number // 26**at % 26) for at in (1, 0))

    def person(self, at: int) -> str:
        """Roster key of the nth responder, counted from 1; 0 is the supervisor."""
        return f"w{at}" if at else "lead"

    def phone(self, at: int) -> str:
        return f"+30690000{(self.number * 29 + at) % 10000:04d}"


def make_towns(numbers: Numbers) -> list[TownSpec]:
    """All of them, the largest first; populations sum to `inhabitants` exactly."""
    count, spread = int(numbers["municipalities"]), float(numbers["largest_spread"])
    sizes = [math.exp(spread * NormalDist().inv_cdf(1 - (rank + 0.5) / count)) for rank in range(count)]
    scale = int(numbers["inhabitants"]) / sum(sizes)
    whole = [max(1, round(size * scale)) for size in sizes]
    whole[0] += int(numbers["inhabitants"]) - sum(whole)
    return [make_town(rank + 1, people, numbers) for rank, people in enumerate(whole)]


def make_town(number: int, population: int, numbers: Numbers) -> TownSpec:
    """One town with the people on duty that its size asks for."""
    on_duty = max(2, math.ceil(population / 100_000 * float(numbers["on_duty_per_100000"])))
    return TownSpec(number, population, (number - 1) % int(numbers["regions"]), on_duty)


def sample(towns: Sequence[TownSpec], share: float) -> list[TownSpec]:
    """Whole towns that hold about this share of the inhabitants: sorted by size, cut into equal strata, and
    of each the town that is nearest to its mean."""
    if share >= 1:
        return list(towns)
    strata = max(1, round(len(towns) * share))
    bounds = [round(len(towns) * at / strata) for at in range(strata + 1)]
    return [_middle(towns[low:high]) for low, high in pairwise(bounds)]


def _middle(stratum: Sequence[TownSpec]) -> TownSpec:
    mean = sum(town.population for town in stratum) / len(stratum)
    return min(stratum, key=lambda town: abs(town.population - mean))


def write_profile(town: TownSpec, folder: Path) -> Path:
    """The profile's folder, ready for `Profile.load`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SAME:
        (folder / name).write_bytes((DEFAULT_PROFILE / name).read_bytes())
    own = yaml.safe_load((DEFAULT_PROFILE / "profile.yaml").read_text("utf-8"))
    own["municipality"] = {"el": town.name, "en": f"Municipality {town.number:03d}"}
    own["ref_prefix"] = town.prefix
    _dump(folder / "profile.yaml", own)
    _dump(folder / "roster.yaml", _roster(town))
    _dump(folder / "policy.yaml", policy(town))
    return folder


def _roster(town: TownSpec) -> dict[str, Any]:
    order = [town.person(at) for at in range(1, town.on_duty + 1)]
    people = {
        town.person(at): {"name": f"Υπάλληλος {at}", "phone": town.phone(at), "languages": ["el", "en"]}
        for at in range(1, town.on_duty + 1)
    }
    people["lead"] = {"name": "Επόπτης", "phone": town.phone(0), "role": "supervisor"}
    return {"people": people, "shifts": [{"days": "mon-sun", "from": "00:00", "to": "24:00", "order": order}]}


def policy(town: TownSpec) -> dict[str, Any]:
    """As many steps of one person as there are people (five at most), then everyone at once."""
    ordinals = ("first", "second", "third", "fourth", "fifth")[: town.on_duty]
    alone = [{"who": word, "by": ["voice", "sms"], "for": "60s"} for word in ordinals]
    everyone = {"who": "everyone", "by": ["voice", "sms"], "for": "120s"}
    return {"steps": [*alone, everyone], "repeat": 3, "contact_within": "5m"}


def _dump(path: Path, what: Any) -> None:
    path.write_text(yaml.safe_dump(what, allow_unicode=True, sort_keys=False), encoding="utf-8")
