"""What a batch of n messages costs: a + b n, measured with the real product by citizens who write in step.

On a sample of the country people hardly ever write in the same hundredth of a second; in the whole country
they do, and the product then shares its commits among them. The paper needs both ends of that line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.day.demand import Arrivals, shares
from bench.day.numbers import Numbers
from bench.day.towns import TownSpec, make_town

SIZES = (1, 1, 1, 1, 1, 1, 2, 2, 4, 8, 16, 32, 64)
APART = 900.0  # seconds between two groups: one conversation's length


def in_step(numbers: Numbers) -> Numbers:
    """Citizens who all take the same time, and never give up."""
    return numbers.but(
        tap_seconds=20,
        type_seconds=20,
        pause_spread=0,
        leaves_share=0,
        returns_share=0,
        patience_seconds=1e9,
        telegram_rate=1e6,
    )


def group_arrivals(numbers: Numbers, rounds: int) -> tuple[tuple[TownSpec, ...], Arrivals]:
    """One town, and groups of each size that begin at the same instant."""
    topics = tuple(shares(numbers))
    sizes = [size for _ in range(rounds) for size in SIZES]
    at = np.concatenate([np.full(size, APART * (place + 1)) for place, size in enumerate(sizes)])
    two = [topics.index("water_tariff"), topics.index("food_aid")]
    topic = np.resize(two, len(at)).astype(np.int64)
    zeros = np.zeros(len(at), dtype=np.int64)
    return (make_town(400, 30_000, numbers),), Arrivals(at, zeros, topic, zeros.astype(bool), topics)


def fit(batches: Sequence[Sequence[float]]) -> dict[str, Any]:
    """CPU of a batch of n: `a` for the batch and `b` for each message, by the medians at each n."""
    warm = list(batches)[len(batches) // 10 :]  # the first ones import and prepare
    sizes = np.array([row[3] for row in warm], dtype=int)
    cpu = np.array([row[1] for row in warm])
    counts = [int(n) for n in np.unique(sizes) if n > 0 and (sizes == n).sum() >= 2]
    means = np.array([np.median(cpu[sizes == n]) for n in counts])
    weight = 1 / np.array(counts)  # a relative error counts alike at both ends
    design = np.stack([np.ones(len(counts)), np.array(counts, dtype=float)], axis=1)
    (a, b), *_ = np.linalg.lstsq(design * weight[:, None], means * weight, rcond=None)
    points = [(n, float(mean / n * 1e6)) for n, mean in zip(counts, means, strict=True)]
    return {"batch_us": float(a * 1e6), "message_us": float(b * 1e6), "points": points}
