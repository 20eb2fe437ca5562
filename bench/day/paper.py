"""From the sample to the country, and from the country to the internet: which limit comes first, and what it
takes past it. Arithmetic on measured figures; nothing here is measured itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.day import queues
from bench.day.demand import Arrivals, Floats, arrivals
from bench.day.numbers import Numbers
from bench.day.queues import Stream
from bench.day.towns import TownSpec

HOUR = 3600.0
LOADS = (1, 2, 4, 8)
PEOPLE_HOURS = 7.0  # of one person's working day


def country(
    numbers: Numbers,
    towns: Sequence[TownSpec],
    run: dict[str, Any],
    cost: dict[str, Any],
    seed: int,
    region: int,
    loads: Sequence[int] = LOADS,
) -> dict[str, Any]:
    """Every figure of the whole country's day. `run`: what the sample came to (bench.day.sample.merged);
    `loads`: how many countries at once are tried on one core."""
    chance = np.random.default_rng(seed)
    people = arrivals(towns, numbers, seed, cut=(region, (region + 1) % int(numbers["regions"])))
    messages = queues.stream(people, run["talks"], chance)
    calls = _calls(people.reds(), run, chance)
    spoken = queues.spoken(messages, run["messages_each"], chance)
    return {
        "conversations": len(people),
        "red": len(people.reds()),
        "messages": len(messages),
        "spoken": len(spoken),
        "calls": len(calls),
        "hours": _by_hour(messages),
        "core": _core(messages, cost, len(towns), chance, loads),
        "telegram": _telegram(numbers, towns, messages, run["messages_each"], seed, run["talks"]),
        "twilio": _twilio(calls, float(numbers["twilio_cps"])),
        "people": _people(numbers, people, run),
        "disk": _disk(messages, run),
    }


def _by_hour(messages: Stream) -> list[dict[str, float]]:
    hours = []
    for hour in range(24):
        at = messages.window(hour * HOUR, (hour + 1) * HOUR).at
        hours.append({"mean": len(at) / HOUR, "busiest_second": queues.most_in(at, 1.0)})
    return hours


def _core(
    messages: Stream, cost: dict[str, Any], towns: int, chance: np.random.Generator, loads: Sequence[int]
) -> list[dict[str, Any]]:
    """One core, with 1, 2, 4 ... countries on it, in the two hours around the first power cut."""
    batch, each = cost["batch_us"] / 1e6, cost["message_us"] / 1e6
    rows = []
    part = messages.window(14.5 * HOUR, 16.5 * HOUR)
    for load in loads:
        some = part.times(load, towns, chance) if load > 1 else messages if len(loads) > 1 else part
        waits, busy = queues.one_core(some, batch, each)
        whole = float(busy.sum()) / 86_400 if some is messages else None
        rows.append(
            {"load": load, "busiest_minute": float(busy.max() / 60), "whole_day": whole, **queues.told(waits)}
        )
    return rows


def _telegram(
    numbers: Numbers,
    towns: Sequence[TownSpec],
    messages: Stream,
    each: float,
    seed: int,
    talks: Sequence[queues.Talk],
) -> list[dict[str, Any]]:
    """One bot for all, one bot for the share that uses Telegram, and the largest town's own bot in a cut."""
    chance, rate = np.random.default_rng(seed + 1), float(numbers["telegram_rate"])
    share = float(numbers["telegram_share"])
    mine = chance.random(len(messages)) < share
    some = Stream(messages.at[mine], messages.town[mine])
    largest = arrivals(towns[:1], numbers, seed, cut=(towns[0].region,))
    own = queues.stream(largest, talks, chance)
    rows = [
        ("one bot for the country, all messages", messages, rate),
        (f"one bot for the country, {share:.0%} of messages", some, rate),
        (f"the largest town's own bot ({towns[0].population:,}), power cut there", own, rate),
        ("one bot for the country, all messages, paid rate", messages, float(numbers["telegram_paid_rate"])),
    ]
    return [{"what": what, **_gate(queues.spoken(part, each, chance), at)} for what, part, at in rows]


def _gate(at: Any, rate: float) -> dict[str, Any]:
    return {"rate": rate, "busiest_minute": queues.most_in(at, 60.0), **queues.told(queues.gate(at, rate))}


def _calls(reds: Arrivals, run: dict[str, Any], chance: np.random.Generator) -> Floats:
    """When calls are asked for: every case has the calls of one that was really paged, in a power cut those
    of one in a power cut."""
    asked = [np.zeros(0)]
    for cut, offsets in ((False, run["calls_calm"]), (True, run["calls_cut"])):
        begun = reds.at[reds.cut == cut]
        if offsets and len(begun):
            picks = chance.integers(len(offsets), size=len(begun))
            asked += [at + np.asarray(offsets[pick]) for at, pick in zip(begun, picks, strict=True)]
    return np.sort(np.concatenate(asked))


def _twilio(calls: Floats, cps: float) -> list[dict[str, Any]]:
    """One account for the country at its default rate and at more. (A town's own account is in the run.)"""
    return [{"cps": rate, **_gate(calls, rate / 1.05)} for rate in (cps, 2 * cps, 5 * cps)]


def _people(numbers: Numbers, people: Arrivals, run: dict[str, Any]) -> dict[str, Any]:
    """Cases in danger, and the tickets that wait for somebody to read them."""
    inhabitants, reds = float(numbers["inhabitants"]), people.reds()
    peak = queues.most_in(reds.at, HOUR) * HOUR
    tickets = len(people) * run["tickets_each"]
    hours = tickets * float(numbers["ticket_minutes"]) / 60
    burst = float(numbers["cut_share"]) * float(numbers["red_share"]) * 1e5
    return {
        "red_in_a_cut_per_100000": burst,
        "red_per_100000": len(reds) / inhabitants * 1e5,
        "red_busiest_hour_per_100000": peak / inhabitants * 1e5,
        "at_once_in_busiest_hour_per_100000": peak * float(numbers["case_minutes"]) / 60 / inhabitants * 1e5,
        "tickets": tickets,
        "ticket_hours": hours,
        "people_for_tickets_per_100000": hours / PEOPLE_HOURS / inhabitants * 1e5,
    }


def _disk(messages: Stream, run: dict[str, Any]) -> dict[str, Any]:
    return {
        "bytes": len(messages) * run["bytes_each"],
        "rows": len(messages) * run["rows_each"],
        "commits_busiest_second": queues.most_in(messages.at, 1.0) * run["commits_each"],
    }


def internet(
    numbers: Numbers, nation: dict[str, Any], cost: dict[str, Any], per_100000: float, times: int
) -> dict[str, Any]:
    """What `times` such countries take at their worst second, all at once: one figure a resource. `cores`: 32
    messages share a commit; `cores_alone`: none do."""
    peak = max(hour["busiest_second"] for hour in nation["hours"]) * times
    spoken = peak * nation["spoken"] / nation["messages"]
    inhabitants = float(numbers["inhabitants"]) * times
    shared = (cost["batch_us"] / 32 + cost["message_us"]) / 1e6
    calls = nation["twilio"][0]["busiest_minute"] * times
    return {
        "inhabitants": inhabitants,
        "messages_a_second": peak,
        "cores": peak * shared,
        "cores_alone": peak * (cost["batch_us"] + cost["message_us"]) / 1e6,
        "bots": spoken / float(numbers["telegram_rate"]),
        "bots_paid": spoken / float(numbers["telegram_paid_rate"]),
        "calls_a_second": calls,
        "bytes_a_day": nation["disk"]["bytes"] * times,
        "commits_a_second": nation["disk"]["commits_busiest_second"] * times,
        "on_duty": inhabitants / 1e5 * per_100000,
        "for_tickets": nation["people"]["people_for_tickets_per_100000"] * inhabitants / 1e5,
    }


def variations(
    numbers: Numbers,
    towns: Sequence[TownSpec],
    run: dict[str, Any],
    cost: dict[str, Any],
    seed: int,
    region: int,
) -> list[dict[str, Any]]:
    """What the assumptions that matter most are worth: one changed at a time, the rest of the run kept."""
    rows = []
    for name, number in numbers.known.items():
        for value in number.vary:
            nation = country(numbers.but(**{name: value}), towns, run, cost, seed, region, loads=(1,))
            rows.append({"name": name, "from": number.value, "to": value, **_gist(nation)})
    return rows


def _gist(nation: dict[str, Any]) -> dict[str, float]:
    """The four figures that limits are made of."""
    people = nation["people"]
    return {
        "core": nation["core"][0]["busiest_minute"],
        "bot": nation["telegram"][1]["busiest_minute"],
        "calls": nation["twilio"][0]["busiest_minute"],
        "red_at_once": people["at_once_in_busiest_hour_per_100000"],
        "for_tickets": people["people_for_tickets_per_100000"],
    }
