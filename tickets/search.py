"""Finding tickets: the log with its filters, and the queue of what needs a person now.

Everything is decided on open columns; a citizen's sealed words are never searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, or_, select

from store.schema import pages, tickets
from tickets.states import PAGE_LIVE, TICKET_ALIVE, TicketStatus

NOBODY = "nobody"
"""The value of `Filters.assigned` that asks for tickets which nobody has."""

_URGENCY = case({"red": 0, "amber": 1}, value=tickets.c.risk, else_=2)

_NEWEST = (tickets.c.opened_at.desc(), tickets.c.id.desc())


@dataclass(frozen=True, slots=True)
class Filters:
    """What the log is narrowed to; an empty field asks for everything. `ref` is any part of a reference,
    `since` is included, `until` is not. `reviewed` None = both."""

    status: str = ""
    risk: str = ""
    topic: str = ""
    channel: str = ""
    assigned: str = ""
    ref: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reviewed: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which slice of a long list, counted from 1."""

    number: int = 1
    size: int = 25


@dataclass(frozen=True, slots=True)
class Queue:
    """What is to be done: tickets that nobody has, those of one person, and those of others; the most
    dangerous first, then the oldest. `last` is when the newest ticket of all was opened."""

    waiting: Sequence[Row[Any]]
    mine: Sequence[Row[Any]]
    others: Sequence[Row[Any]]
    last: datetime | None


def search(tx: Connection, filters: Filters, page: Page) -> tuple[Sequence[Row[Any]], int]:
    """One page of tickets, newest first, and how many there are in all."""
    wanted = _conditions(filters)
    total = tx.execute(select(func.count()).select_from(tickets).where(*wanted)).scalar_one()
    newest = select(tickets).where(*wanted).order_by(*_NEWEST)
    rows = tx.execute(newest.limit(page.size).offset((page.number - 1) * page.size)).all()
    return rows, total


def select_tickets(filters: Filters) -> Select[Any]:
    """The query behind `search` without paging, for lists and exports."""
    return select(tickets).where(*_conditions(filters)).order_by(*_NEWEST)


def counts(tx: Connection) -> dict[str, int]:
    """How many tickets there are in each status; every status is in it."""
    found = tx.execute(select(tickets.c.status, func.count()).group_by(tickets.c.status))
    return {**dict.fromkeys(TicketStatus, 0), **{str(row[0]): int(row[1]) for row in found}}


def topics(tx: Connection) -> list[str]:
    """The topics that tickets have had: from one to the next by the index, however many tickets each has."""
    found = select(func.min(tickets.c.topic).label("topic")).cte("found", recursive=True)
    further = select(func.min(tickets.c.topic)).where(tickets.c.topic > found.c.topic).scalar_subquery()
    found = found.union_all(select(further).where(found.c.topic.is_not(None)))
    return list(tx.execute(select(found.c.topic).where(found.c.topic.is_not(None))).scalars())


def queue(tx: Connection, person: str) -> Queue:
    """What waits for anybody, what waits for this person, and what others are at."""
    alive = select(tickets).where(tickets.c.status.in_(TICKET_ALIVE))
    rows = tx.execute(alive.order_by(_URGENCY, tickets.c.opened_at, tickets.c.id)).all()
    return Queue(
        waiting=[row for row in rows if row.assigned_to is None],
        mine=[row for row in rows if row.assigned_to == person],
        others=[row for row in rows if row.assigned_to not in (None, person)],
        last=tx.execute(select(tickets.c.opened_at).order_by(tickets.c.id.desc()).limit(1)).scalar(),
    )


def red_alone(tx: Connection, besides: int = 0) -> int:
    """How many red tickets, apart from one, no person has."""
    alone = (tickets.c.risk == "red", tickets.c.assigned_to.is_(None), tickets.c.id != besides)
    alive = tickets.c.status.in_(TICKET_ALIVE)
    return tx.execute(select(func.count()).select_from(tickets).where(alive, *alone)).scalar_one()


def live_pages(tx: Connection) -> dict[int, Row[Any]]:
    """The page that each ticket still owes, by ticket id."""
    found = tx.execute(select(pages).where(pages.c.state.in_(PAGE_LIVE)).order_by(pages.c.id)).all()
    return {row.ticket_id: row for row in found}


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    column = tickets.c
    equal = {name: getattr(filters, name) for name in ("status", "risk", "topic", "channel")}
    wanted: list[ColumnElement[bool]] = [column[name] == value for name, value in equal.items() if value]
    if filters.assigned:
        nobody = filters.assigned == NOBODY
        wanted.append(column.assigned_to.is_(None) if nobody else column.assigned_to == filters.assigned)
    if filters.ref:
        wanted.append(column.ref.contains("".join(filters.ref.split()).upper(), autoescape=True))
    if filters.since:
        wanted.append(column.opened_at >= filters.since)
    if filters.until:
        wanted.append(column.opened_at < filters.until)
    if filters.reviewed is not None:
        wanted.append(column.reviewed_at.is_not(None) if filters.reviewed else _to_review())
    return wanted


def _to_review() -> ColumnElement[bool]:
    """Closed, or dangerous, and nobody has read it over yet."""
    finished = or_(tickets.c.status == TicketStatus.closed, tickets.c.risk == "red")
    return finished & tickets.c.reviewed_at.is_(None)
