"""The worst day counts right: its numbers have origins, its draws can be repeated, its queues are queues, and
in the small its real product answers everybody and finds a human for whoever is in danger.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.day import cost, humans, paper, plan, queues, report, sample
from bench.day.citizens import Minds, load_talks
from bench.day.demand import Arrivals, arrivals, shares
from bench.day.engine import Day, Gate
from bench.day.numbers import Numbers, NumbersError, load_numbers
from bench.day.phones import Phones
from bench.day.shard import Job, split, work
from bench.day.towns import TownSpec, make_town, make_towns, write_profile
from bench.day.towns import sample as sample_of
from config.profile import Profile

NUMBERS = load_numbers()
TOWNS = make_towns(NUMBERS)


@pytest.mark.parametrize(
    "told", ["{kind: assumed, value: 1}", "{kind: published, value: 1}", "{kind: known, value: 1}"]
)
def test_a_number_without_its_origin_is_refused(told: str, tmp_path: Path) -> None:
    table = tmp_path / "numbers.yaml"
    table.write_text(f"some: {told}\n")
    with pytest.raises(NumbersError):
        load_numbers(table)


def test_the_curves_of_the_day_are_shares_and_peak_when_their_sources_say() -> None:
    for name, hour in (("hours_office", 10), ("hours_heat", 15), ("hours_crisis", 0)):
        curve = NUMBERS.hours(name)
        assert curve.sum() == pytest.approx(1)
        assert curve.min() > 0
        assert int(curve.argmax()) // 2 == hour


def test_332_towns_hold_ten_million_and_no_two_share_a_prefix() -> None:
    assert len(TOWNS) == 332
    assert sum(town.population for town in TOWNS) == 10_000_000
    assert len({town.prefix for town in TOWNS}) == 332
    assert all(town.on_duty >= 2 for town in TOWNS)


def test_a_town_has_a_profile_that_the_product_accepts(tmp_path: Path) -> None:
    profile = Profile.load(write_profile(TOWNS[7], tmp_path))
    assert profile.town.ref_prefix == TOWNS[7].prefix
    assert "+30690000" in profile.roster_path.read_text("utf-8")


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_a_sample_holds_its_share_of_the_inhabitants(share: float) -> None:
    chosen = sample_of(TOWNS, share)
    assert sum(town.population for town in chosen) == pytest.approx(share * 10_000_000, rel=0.15)
    assert sample_of(TOWNS, 1.0) == TOWNS


def test_a_towns_day_is_the_same_in_every_sample() -> None:
    alone = arrivals([TOWNS[40]], NUMBERS, 3)
    among = arrivals(TOWNS[38:42], NUMBERS, 3)
    assert np.array_equal(alone.at, among.at[among.town == 2])
    assert not np.array_equal(alone.at[:50], arrivals([TOWNS[40]], NUMBERS, 4).at[:50])


def test_demand_has_the_volume_and_the_danger_that_the_numbers_say() -> None:
    day = arrivals(TOWNS, NUMBERS, 1)
    assert len(day) == pytest.approx(10_000_000 * NUMBERS["writers_share"], rel=0.05)
    assert len(day.reds()) / len(day) == pytest.approx(NUMBERS["red_share"], rel=0.1)
    assert np.all(np.diff(day.at) >= 0)
    assert sum(shares(NUMBERS).values()) == pytest.approx(1)


def test_arrivals_vary_more_than_a_poisson_stream_does() -> None:
    towns = [make_town(number, 30_000, NUMBERS) for number in range(1, 120)]
    day = arrivals(towns, NUMBERS, 5)
    counts = np.bincount(day.town, minlength=len(towns))
    assert counts.var() > 3 * counts.mean()


def test_a_power_cut_makes_its_region_write_within_ten_minutes() -> None:
    town = TOWNS[20]
    day = arrivals([town], NUMBERS, 2, cut=(town.region,))
    burst = day.at[day.cut]
    start = NUMBERS["cut_hours"][0] * 3600
    assert len(burst) == pytest.approx(town.population * NUMBERS["cut_share"], rel=0.2)
    assert burst.min() >= start
    assert burst.max() <= start + 600
    assert not arrivals([TOWNS[21]], NUMBERS, 2, cut=(town.region,)).cut.any()


def test_every_topic_has_talks_in_every_language() -> None:
    talks = load_talks()
    for topic in shares(NUMBERS):
        assert set(talks[topic]) == set(NUMBERS["languages"])
        assert all(lines for several in talks[topic].values() for lines in several)


def test_processes_share_towns_and_lose_no_arrival() -> None:
    towns = TOWNS[100:105]
    day = arrivals(towns, NUMBERS, 1)
    parts = split(towns, day, 2)
    assert sorted(town.number for specs, _ in parts for town in specs) == [town.number for town in towns]
    assert sum(len(some) for _, some in parts) == len(day)
    for specs, some in parts:
        for place, spec in enumerate(specs):
            expected = day.at[day.town == towns.index(spec)]
            assert np.array_equal(some.at[some.town == place], expected)


def test_a_bots_rate_holds_ordinary_messages_and_lets_urgent_ones_pass() -> None:
    gate = Gate(2)
    assert [gate.leaves(10.0, False) for _ in range(2)] == [10.0, 10.0]
    assert gate.leaves(10.0, False) == pytest.approx(11.0)
    assert gate.leaves(10.5, True) == pytest.approx(10.5)


def test_a_gate_on_paper_lets_one_pass_each_interval() -> None:
    waits = queues.gate(np.array([0.0, 0.0, 0.0, 10.0]), 2.0)
    assert waits == pytest.approx([0.0, 0.5, 1.0, 0.0])


def test_a_core_that_is_busy_takes_all_that_waits_together() -> None:
    zeros = np.zeros(4, dtype=np.int64)
    stream = queues.Stream(np.array([0.0, 0.1, 0.2, 50.0]), zeros)
    waits, busy = queues.one_core(stream, 1.0, 0.5)
    assert waits == pytest.approx([1.5, 3.4, 3.3, 1.5])  # the second and third share one batch
    assert busy.sum() == pytest.approx(5.0)
    apart = queues.Stream(stream.at, np.array([0, 1, 2, 0]))
    assert queues.one_core(apart, 1.0, 0.5)[1].sum() == pytest.approx(6.0)


def test_the_cost_of_a_batch_is_a_line() -> None:
    batches = [(0.0, 0.004 + 0.001 * n, 0.0, n) for n in (1, 2, 8, 32) for _ in range(10)]
    fitted = cost.fit(batches * 2)
    assert fitted["batch_us"] == pytest.approx(4000, rel=0.01)
    assert fitted["message_us"] == pytest.approx(1000, rel=0.01)


def test_whoever_was_never_reached_counts_as_the_longest_wait() -> None:
    pages = [[0, 30_000_000, 60_000_000, None, 1], [0, None, None, 5_000_000, 2]]
    town = {"pages": pages, "calls": [(1.0, 1)], "busy_calls": 0, "worked": 0.0, "on_duty": 2}
    told = humans.clocks([town])
    assert told["taken_60"] == 0.5
    assert told["taken_p99"] is None
    assert told["alarms"] == 0.5


def _small(tmp_path: Path) -> tuple[Job, Numbers]:
    """One town, six conversations, two of them in danger."""
    numbers = NUMBERS.but(languages={"el": 1.0}, leaves_share=0, returns_share=0)
    topics = tuple(shares(numbers))
    wanted = ("food_aid", "red:medical", "water_tariff", "red:suicide", "benefits", "psych_support")
    at = 36_000 + np.arange(6.0) * 20
    topic = np.array([topics.index(name) for name in wanted])
    zeros = np.zeros(6, dtype=np.int64)
    day = Arrivals(at, zeros, topic, zeros.astype(bool), topics)
    return Job(
        "small", (TownSpec(40, 20_000, 0, 3),), day, numbers, 1, tmp_path / "day", 1e-3, 60_000.0
    ), numbers


def test_a_small_day_answers_everybody_and_finds_a_human_for_whoever_is_in_danger(tmp_path: Path) -> None:
    job, numbers = _small(tmp_path)
    done = work(job)
    run = sample.merged([done], job.fsync)
    assert run["conversations"] == 6
    assert run["left"] == run["strange"] == run["unsent"] == 0
    assert run["clocks"]["cases"] == 2
    assert run["clocks"]["heard_300"] == 1.0
    assert run["tickets_each"] > 0.5
    assert run["calm"]["longest"] < 5
    assert run["clocks"]["first_call"]["longest"] < 2
    assert run["commits_each"] > 1
    assert not (tmp_path / "day").exists()
    _on_paper(run, numbers, tmp_path)


def _on_paper(run: dict[str, Any], numbers: Numbers, tmp_path: Path) -> None:
    """The same run as a country: the figures agree with each other, and can be written and read."""
    run |= {"calls_calm": [[0.0, 30.0]], "calls_cut": [[0.0] * 50]}
    spent = {"batch_us": 4000.0, "message_us": 1000.0, "points": []}
    few = TOWNS[-20:]
    nation = paper.country(numbers, few, run, spent, 1, few[0].region)
    assert nation["messages"] >= nation["conversations"] > 0
    assert sum(hour["mean"] for hour in nation["hours"]) * 3600 == pytest.approx(nation["messages"], rel=0.05)
    idle: dict[str, Any] = {
        "mind_mb": 1.0,
        "stages": [{"towns": n, "resident_mb": 10.0 * n, "cpu_share": 0.01 * n} for n in (1, 20)],
    }
    idle["each"] = plan.per_town(idle, 332)
    assert idle["each"]["all_cores"] == pytest.approx(3.32)
    result: dict[str, Any] = {
        "fsync_us": 250.0,
        "run": run,
        "cost": spent,
        "idle": idle,
        "country": nation,
        "humans": [{"name": "x", **run["clocks"]}],
    }
    result["variations"] = paper.variations(numbers, few, run, spent, 1, few[0].region)
    doubled = next(row for row in result["variations"] if (row["name"], row["to"]) == ("red_share", 0.02))
    halved = next(row for row in result["variations"] if (row["name"], row["to"]) == ("red_share", 0.005))
    assert doubled["red_at_once"] > 2 * halved["red_at_once"]
    result["internet"] = [paper.internet(numbers, nation, spent, 4.0, times) for times in (1, 100)]
    result["limits"] = plan.limits(numbers, result)
    used = [limit["used"] for limit in result["limits"]]
    assert used == sorted(used, reverse=True)
    assert result["internet"][1]["cores"] == pytest.approx(100 * result["internet"][0]["cores"])
    report.write(result, tmp_path)
    kept = json.loads((tmp_path / "worst-day.json").read_text("utf-8"))
    assert kept["country"]["messages"] == nation["messages"]
    assert "LIMITS" in report.table(result)


def test_impatience_is_the_citizens_and_ends() -> None:
    minds = Minds(NUMBERS.but(retry_share=1.0), 1)
    who = minds.make(1, "benefits", 0.0)
    again = [minds.loses_patience(who, 1.0) for _ in range(3)]
    assert [deed is not None for deed in again] == [True, True, False]
    assert math.isfinite(minds.patience())


def test_a_responder_with_a_case_is_busy_for_the_next_call() -> None:
    later: list[float] = []
    spec = TownSpec(3, 1000, 0, 2)
    phones = Phones(
        spec, NUMBERS.but(busy_share=0.0, answers_share=1.0), 1, lambda: 5.0, lambda at, act: later.append(at)
    )
    order = {
        "To": spec.phone(1),
        "Url": "http://x/call/7/start",
        "StatusCallback": "http://x/call/7/status",
        "Timeout": 55,
    }
    phones.carrier("POST", "/Calls.json", order)
    phones.people[spec.phone(1)].taken = True
    phones.carrier("POST", "/Calls.json", order)
    assert len(phones.calls) == 2
    assert len(phones.rang) == 1
    assert phones.busy_calls == 1
    assert later[1] == pytest.approx(7.0)
    assert Day([spec], NUMBERS, 1).now() == 0.0
