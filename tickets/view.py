"""Tickets as others see them: the JSON of docs and exports (times RFC 3339 UTC, roster keys, no phones)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from store.clock import rfc3339
from store.schema import attempts, entries, pages, tickets
from tickets.record import Record
from tickets.states import outcome_of

_BATCH = 500


def list_tickets(tx: Connection, record: Record, query: Select[Any] | None = None) -> list[dict[str, Any]]:
    """Tickets with entries and pages, newest first unless `query` (a select of tickets) says otherwise."""
    rows = tx.execute(query if query is not None else select(tickets).order_by(tickets.c.id.desc())).all()
    found: list[dict[str, Any]] = []
    for start in range(0, len(rows), _BATCH):
        found += _with_story(tx, record, rows[start : start + _BATCH])
    return found


def show_ticket(tx: Connection, record: Record, ref: str) -> dict[str, Any] | None:
    """One ticket, or None."""
    row = record.by_ref(tx, ref)
    return None if row is None else _with_story(tx, record, [row])[0]


def _with_story(tx: Connection, record: Record, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    lines = _by_ticket(
        tx.execute(select(entries).where(entries.c.ticket_id.in_(ids)).order_by(entries.c.id)).all()
    )
    tried = _by_ticket(
        tx.execute(
            select(attempts, pages.c.ticket_id)
            .join(pages, attempts.c.page_id == pages.c.id)
            .where(pages.c.ticket_id.in_(ids))
            .order_by(attempts.c.id)
        ).all()
    )
    return [_as_json(record, row, lines[row.id], tried[row.id]) for row in rows]


def _by_ticket(rows: Iterable[Row[Any]]) -> defaultdict[int, list[Row[Any]]]:
    grouped: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.ticket_id].append(row)
    return grouped


def _as_json(record: Record, row: Row[Any], lines: list[Row[Any]], tried: list[Row[Any]]) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "opened_at": rfc3339(row.opened_at),
        "topic": row.topic,
        "risk": row.risk,
        "risk_kind": row.risk_kind,
        "status": row.status,
        "channel": row.channel,
        "language": row.language,
        "district": row.district,
        "assigned_to": row.assigned_to,
        "answers": record.open_answers(row.id, row.answers),
        "entries": [
            {"at": rfc3339(line.at), "by": line.by, "kind": line.kind, "text": record.text_of(line)}
            for line in lines
        ],
        "pages": [
            {
                "at": rfc3339(attempt.at),
                "to": attempt.person,
                "by": attempt.means,
                "outcome": outcome_of(attempt.state),
            }
            for attempt in tried
        ],
        "first_human_word_at": rfc3339(row.first_human_word_at),
        "closed_at": rfc3339(row.closed_at),
        "outcome": row.outcome,
    }
