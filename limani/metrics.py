"""Figures for Prometheus: counts and ages. No label ever holds a word, a name, a phone or a reference.

What the database knows is counted there at each scrape, so that several processes tell the same story and a
restart forgets nothing; loops and refusals are this process's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from bot.inbox import StimulusState
from escalation.watch import unattended
from store.clock import monotonic
from store.loop import Pulse
from store.schema import inbox, outbox, pages, tickets

CONTENT_TYPE = CONTENT_TYPE_LATEST
RECENT = timedelta(minutes=15)
_MOST_TURNS = 5000  # turns that the quantiles look at
_QUANTILES = (0.5, 0.95, 1.0)
Samples = Iterable[tuple[Sequence[str], float]]


def as_text(figures: list[Metric]) -> bytes:
    """Prometheus's text format, from a registry of our own: nothing of the process is told by default."""
    registry = CollectorRegistry()
    registry.register(_Given(figures))
    return generate_latest(registry)


def process_figures(pulse: Pulse, refused: Mapping[str, int], spool_bytes: int) -> list[Metric]:
    """What only this process knows."""
    now = monotonic()
    since = [((name,), now - at) for name, at in pulse.beats.items()]
    errors = [((name,), float(pulse.errors.get(name, 0))) for name in pulse.beats]
    turned_away = [((channel,), float(count)) for channel, count in refused.items()]
    return [
        _gauge("limani_loop_beat_age_seconds", "Seconds since a loop finished a pass.", ("loop",), since),
        _counter("limani_loop_errors", "Passes of a loop that failed.", ("loop",), errors),
        _counter("limani_webhooks_refused", "Requests with a wrong signature.", ("channel",), turned_away),
        _gauge("limani_spool_bytes", "Bytes that wait for the store.", (), [((), float(spool_bytes))]),
    ]


def database_figures(tx: Connection, now: datetime) -> list[Metric]:
    """What the record knows."""
    alone = float(len(unattended(tx, now)))
    return [
        _gauge("limani_store_up", "1 = the store answered this scrape.", (), [((), 1.0)]),
        *_queue("inbox", tx, inbox.c.received_at, inbox.c.state.in_(["new", "taken"]), now),
        *_queue("outbox", tx, outbox.c.created_at, outbox.c.state.in_(["due", "sending", "unknown"]), now),
        _gauge(
            "limani_quarantined_recent",
            "Stimuli of the last 15 minutes that could not be handled.",
            (),
            [((), _quarantined(tx, now))],
        ),
        _gauge(
            "limani_tickets", "Tickets.", ("status", "risk"), _counted(tx, tickets.c.status, tickets.c.risk)
        ),
        _gauge("limani_tickets_unattended", "Red tickets in nobody's hands.", (), [((), alone)]),
        _gauge("limani_pages", "Pages.", ("state",), _counted(tx, pages.c.state)),
        _gauge(
            "limani_messages_recent",
            "Messages of the last 15 minutes by what became of them.",
            ("channel", "state"),
            _counted(tx, outbox.c.channel, outbox.c.state, where=outbox.c.created_at >= now - RECENT),
        ),
        _gauge(
            "limani_turn_seconds",
            "From the arrival of a stimulus to the end of its turn, over the last 15 minutes.",
            ("quantile",),
            _turns(tx, now),
        ),
    ]


def _queue(name: str, tx: Connection, since: Any, waiting: Any, now: datetime) -> list[Metric]:
    count, oldest = tx.execute(select(func.count(), func.min(since)).where(waiting)).one()
    age = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    return [
        _gauge(f"limani_{name}_waiting", f"Rows of the {name} that wait.", (), [((), float(count))]),
        _gauge(f"limani_{name}_oldest_seconds", "Age of the oldest of them.", (), [((), age)]),
    ]


def _counted(tx: Connection, *columns: Any, where: Any = None) -> Samples:
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    rows = tx.execute(query if where is None else query.where(where)).all()
    return [(tuple(row[:-1]), float(row[-1])) for row in rows]


def _quarantined(tx: Connection, now: datetime) -> float:
    lately = inbox.c.received_at >= now - RECENT
    query = select(func.count()).where(inbox.c.state == StimulusState.quarantined, lately)
    return float(tx.execute(query).scalar_one())


def _turns(tx: Connection, now: datetime) -> Samples:
    """Ids grow with time, so the newest rows are read from the end of the primary key."""
    answered = (inbox.c.state == StimulusState.done, inbox.c.why.is_(None))
    query = select(inbox.c.received_at, inbox.c.done_at).where(*answered)
    rows = tx.execute(query.order_by(inbox.c.id.desc()).limit(_MOST_TURNS)).all()
    lately = now - RECENT
    seconds = sorted(
        (done - received).total_seconds()
        for received, done in rows
        if done is not None and received >= lately
    )
    if not seconds:
        return []
    last = len(seconds) - 1
    return [((str(share),), seconds[round(share * last)]) for share in _QUANTILES]


class _Given(Collector):
    """Figures that are known already, as a collector."""

    def __init__(self, figures: list[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures


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
