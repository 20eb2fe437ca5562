"""What the sample's day came to: the lists of all processes put together and made into figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.day import humans, queues
from bench.day.engine import MIDNIGHT

MINUTES = 24 * 60 + 60


def merged(parts: Sequence[dict[str, Any]], fsync: float) -> dict[str, Any]:
    """Everything that the paper and the report need of the run."""
    towns = [town for part in parts for town in part["towns"]]
    talks = [talk for part in parts for talk in part["talks"]]
    ledgers = [part["ledger"] for part in parts]
    stimuli = sum(len(one["stimuli"]) for one in ledgers)
    spoken = sum(len(one["messages"]) for one in ledgers)
    cpu = sum(row[1] for one in ledgers for row in one["batches"])
    asked = sum(row[1] for one in ledgers for row in one["batches"] if row[3])
    disk = sum(row[2] - row[1] for one in ledgers for row in one["batches"])
    rows = sum(sum(town["rows"].values()) for town in towns)
    return {
        "towns": towns,
        "talks": talks,
        "inhabitants": sum(town["population"] for town in towns),
        "conversations": len(talks),
        "stimuli": stimuli,
        "spoken": spoken,
        "impatient": sum(one["impatient"] for one in ledgers),
        "cpu": cpu,
        "cpu_each_us": asked / max(1, stimuli) * 1e6,
        "cpu_other": cpu - asked,
        "messages_each": spoken / max(1, stimuli),
        "tickets_each": sum(town["rows"]["tickets"] for town in towns) / max(1, len(talks)),
        "rows_each": rows / max(1, stimuli),
        "bytes_each": sum(town["bytes"] for town in towns) / max(1, stimuli),
        "commits_each": disk / fsync / max(1, stimuli) if fsync else 0.0,
        "hours": _hours(ledgers),
        "busiest_minute": max(_busiest_minute(one) for one in ledgers),
        "waiting": _waiting(ledgers),
        "calm": queues.told(_waits(ledgers, red=False)),
        "red": queues.told(_waits(ledgers, red=True)),
        "clocks": clocks(towns),
        "left": sum(town["left"] for town in towns),
        "strange": sum(town["strange"] for town in towns),
        "unsent": sum(town["unsent"] for town in towns),
    }


def clocks(towns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The two clocks, and how long a page waited for its first call."""
    waits = np.array(humans.first_calls(towns, MIDNIGHT.timestamp()))
    return {**humans.clocks(towns), "first_call": queues.told(waits)}


def call_offsets(towns: Sequence[dict[str, Any]]) -> list[list[float]]:
    """For each page: seconds from its need to each of its calls."""
    found: list[list[float]] = []
    zero = MIDNIGHT.timestamp()
    for town in towns:
        calls: dict[int, list[float]] = defaultdict(list)
        for at, page in town["calls"]:
            calls[page].append(at)
        found += [[at - (page[0] / 1e6 - zero) for at in calls[page[4]]] for page in town["pages"]]
    return found


def _hours(ledgers: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Of the sample: messages a second, and CPU seconds used, by simulated hour."""
    at = np.array([row[0] for one in ledgers for row in one["stimuli"]])
    batches = np.array([row[:2] for one in ledgers for row in one["batches"]])
    hours = []
    for hour in range(24):
        mine = at[(at >= hour * 3600) & (at < (hour + 1) * 3600)]
        used = batches[(batches[:, 0] >= hour * 3600) & (batches[:, 0] < (hour + 1) * 3600), 1].sum()
        hours.append(
            {
                "mean": len(mine) / 3600,
                "busiest_second": queues.most_in(mine, 1.0),
                "cpu_seconds": float(used),
            }
        )
    return hours


def _busiest_minute(ledger: dict[str, Any]) -> float:
    """Of one process: the share of a core that it used in its busiest minute."""
    batches = np.array([row[:2] for row in ledger["batches"]])
    used = np.bincount((batches[:, 0] // 60).astype(int), weights=batches[:, 1], minlength=MINUTES)
    return float(used.max() / 60)


def _waiting(ledgers: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The longest queue before a core, and the oldest message in one."""
    posts = max((row[3] for one in ledgers for row in one["batches"]), default=0)
    costs = max((row[2] for one in ledgers for row in one["batches"]), default=0.0)
    return {"most": float(posts), "longest_batch": float(costs)}


def _waits(ledgers: Sequence[dict[str, Any]], *, red: bool) -> Any:
    return np.array([wait for one in ledgers for _, wait, danger in one["replies"] if danger == red])
