"""Figures for Prometheus. No label ever holds a word, a name, a phone or a reference.

What the database knows is counted there at each scrape, so that several processes tell the same story and a
restart forgets nothing; every query looks at what waits or is alive, by an index, and never at what is over.
What a process does is counted by itself (store.figures). docs/operations.md says what each figure means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from escalation.watch import unattended
from limani.presence import beats
from limani.roles import ROLES
from store.clock import monotonic
from store.figures import Figures, Histogram
from store.ids import first_id
from store.loop import Pulse
from store.schema import among, attempts, inbox, outbox, pages, tickets, waits
from tickets.states import PAGE_LIVE, AttemptState, PageState, TicketStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
RECENT = timedelta(minutes=15)
Samples = Iterable[tuple[Sequence[str], float]]
_LANES = ("urgent", "ordinary", "broadcast")
_COUNTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "provider_answers": ("What providers said to our requests.", ("channel", "outcome")),
    "webhooks": ("What webhooks were answered.", ("channel", "status")),
    "turns": ("Turns by how they ended.", ("outcome",)),
    "claimed": ("Rows taken from a queue by this process.", ("queue",)),
    "arrivals": ("What the door took in.", ("channel", "outcome")),
    "store_unavailable": ("Work that the database did not take.", ("kind",)),
    "pace_local": ("Messages whose shared rate could not be asked for.", ("channel",)),
    "redis_lost": ("Connections to Redis that were lost.", ("error",)),
}
_SPANS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "provider_seconds": ("From a request to a provider to its answer.", ("channel",)),
    "webhook_seconds": ("From a webhook to our answer.", ("channel",)),
    "turn_seconds": ("From the arrival of a stimulus to the end of its turn.", ()),
    "batch_seconds": ("One commit of the SQLite writer.", ()),
    "batch_works": ("Pieces of work in one commit of the SQLite writer.", ()),
    "store_seconds": ("From the asking to the answer of the database.", ("kind",)),
    "pace_seconds": ("How long a message waited for its turn.", ("channel", "lane")),
    "redis_seconds": ("One ring sent through Redis.", ()),
}
_LEVELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "redis_up": ("1 = rings go through Redis; missing = Redis is not used.", ()),
    "pace_shared": ("1 = the rate of a channel is shared with the other processes.", ("channel",)),
}


def as_text(figures: list[Metric]) -> bytes:
    """Prometheus's text format, from a registry of our own: nothing of the process is told by default."""
    registry = CollectorRegistry()
    registry.register(_Given(figures))
    return generate_latest(registry)


def process_figures(
    figures: Figures, pulse: Pulse, refused: Mapping[str, int], spool_bytes: int, spool_seconds: float
) -> list[Metric]:
    """What only this process knows."""
    turned_away = [((channel,), float(count)) for channel, count in refused.items()]
    return [
        *_loops(pulse),
        _counter("limani_webhooks_refused", "Requests with a wrong signature.", ("channel",), turned_away),
        _gauge("limani_spool_bytes", "Bytes that wait for the store.", (), [((), float(spool_bytes))]),
        _gauge("limani_spool_oldest_seconds", "Since when something waits.", (), [((), spool_seconds)]),
        *(
            _counter(f"limani_{name}", told, labels, _numbers(figures.counts, name))
            for name, (told, labels) in _COUNTS.items()
        ),
        *(
            _histogram(f"limani_{name}", told, labels, _of(figures.spans, name))
            for name, (told, labels) in _SPANS.items()
        ),
        *(
            _gauge(f"limani_{name}", told, labels, _of(figures.levels, name))
            for name, (told, labels) in _LEVELS.items()
        ),
    ]


def _loops(pulse: Pulse) -> list[Metric]:
    now = monotonic()
    since = [((name,), now - at) for name, at in pulse.beats.items()]
    passes = [((name,), float(pulse.passes.get(name, 0))) for name in pulse.beats]
    errors = [((name,), float(pulse.errors.get(name, 0))) for name in pulse.beats]
    spans = [((name,), span) for name, span in pulse.spans.items()]
    label = ("loop",)
    return [
        _gauge("limani_loop_beat_age_seconds", "Seconds since a loop finished a pass.", label, since),
        _counter("limani_loop_passes", "Passes of a loop that did their work.", label, passes),
        _counter("limani_loop_errors", "Passes of a loop that failed.", label, errors),
        _histogram("limani_loop_seconds", "One pass of a loop.", label, spans),
    ]


def database_figures(tx: Connection, now: datetime) -> list[Metric]:
    """What the record knows."""
    alone = float(len(unattended(tx, now)))
    queues = [*_inbox(tx, now), *_outbox(tx, now), *_due(tx, now)]
    depth = [((queue, lane), float(count)) for queue, lane, count, _ in queues]
    age = [((queue, lane), _age(since, now)) for queue, lane, _, since in queues]
    labels = ("queue", "lane")
    lately = select(func.count()).where(
        among(inbox.c.state, "quarantined"), inbox.c.id >= first_id(now - RECENT)
    )
    strange = float(tx.execute(lately).scalar_one())
    in_hand = tickets.c.status.in_([TicketStatus.open, TicketStatus.assigned, TicketStatus.waiting])
    told = _counted(tx, in_hand, tickets.c.status, tickets.c.risk)
    seen = [((role,), _age(at, now)) for role, at in beats(tx, ROLES).items()]
    live = _counted(tx, pages.c.state.in_([*PAGE_LIVE]), pages.c.state)
    return [
        _gauge("limani_store_up", "1 = the store answered this scrape.", (), [((), 1.0)]),
        _gauge("limani_queue_depth", "Rows of a queue that wait.", labels, depth),
        _gauge("limani_queue_oldest_seconds", "How long the oldest of them waits.", labels, age),
        _gauge("limani_quarantined_recent", "Not handled, in 15 minutes.", (), [((), strange)]),
        _gauge("limani_tickets", "Tickets that are not closed.", ("status", "risk"), told),
        _gauge("limani_tickets_unattended", "Red tickets in nobody's hands.", (), [((), alone)]),
        _gauge("limani_role_beat_age_seconds", "Since a process of a role was seen.", ("role",), seen),
        _gauge("limani_pages", "Pages that still owe somebody a human.", ("state",), live),
    ]


_Queue = tuple[str, str, int, datetime | None]
"""Name, lane or part, depth, and since when the oldest waits."""


def _inbox(tx: Connection, now: datetime) -> list[_Queue]:
    query = select(func.count(), func.min(inbox.c.received_at)).where(among(inbox.c.state, "new", "taken"))
    count, oldest = tx.execute(query).one()
    return [("inbox", "", count, oldest)]


def _outbox(tx: Connection, now: datetime) -> list[_Queue]:
    """A lane that holds nothing is told too: a figure that comes and goes makes no alarm."""
    unsaid = among(outbox.c.state, "due", "sending", "unknown")
    query = select(outbox.c.lane, func.count(), func.min(outbox.c.created_at)).where(unsaid)
    found = {row[0]: row for row in tx.execute(query.group_by(outbox.c.lane))}
    empty = (0, 0, None)
    return [("outbox", name, *found.get(lane, empty)[1:]) for lane, name in enumerate(_LANES)]


def _due(tx: Connection, now: datetime) -> list[_Queue]:
    """What has a time: only what is due counts as waiting."""
    searching = pages.c.state.in_([PageState.needed, PageState.ringing, PageState.exhausted])
    owed = (
        ("waits", waits.c.due_at, (waits.c.due_at <= now,)),
        ("pages", pages.c.due_at, (searching, pages.c.due_at <= now)),
        ("attempts", attempts.c.due_at, (attempts.c.state == AttemptState.due, attempts.c.due_at <= now)),
        ("attempts_sending", attempts.c.due_at, (attempts.c.state == AttemptState.sending,)),
    )
    return [
        (name, "", *tx.execute(select(func.count(), func.min(since)).where(*due)).one())
        for name, since, due in owed
    ]


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _counted(tx: Connection, where: Any, *columns: Any) -> Samples:
    query = select(*columns, func.count()).where(where).group_by(*columns).order_by(*columns)
    return [(tuple(row[:-1]), float(row[-1])) for row in tx.execute(query).all()]


class _Given(Collector):
    """Figures that are known already, as a collector."""

    def __init__(self, figures: list[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures


def _of(series: Mapping[tuple[str, ...], Any], name: str) -> list[tuple[tuple[str, ...], Any]]:
    """The series of a name: its labels and what was counted. Others may count meanwhile."""
    return [(key[1:], value) for key, value in list(series.items()) if key[0] == name]


def _numbers(series: Mapping[tuple[str, ...], int], name: str) -> Samples:
    return [(labels, float(number)) for labels, number in _of(series, name)]


def _gauge(name: str, help_: str, labels: Sequence[str], samples: Samples) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _counter(name: str, help_: str, labels: Sequence[str], samples: Samples) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _histogram(
    name: str, help_: str, labels: Sequence[str], spans: Iterable[tuple[Sequence[str], Histogram]]
) -> Metric:
    family = HistogramMetricFamily(name, help_, labels=labels)
    for values, span in spans:
        family.add_metric(values, buckets=span.cumulative(), sum_value=span.total)
    return family
