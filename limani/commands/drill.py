"""limani drill: a synthetic citizen writes a red message, and the times until a human takes it are shown.

Everything in between is the running server's own path: inbox, turn, pager, telephone. Whatever happens, the
drill takes back what it has begun, so that no phone rings for it afterwards.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer
from sqlalchemy import Connection, func, select

from bot.incoming import Incoming
from escalation.forms import FormError
from escalation.room import Escalation
from flows.session import StimulusKind
from limani.commands import offline
from limani.commands.told import Told
from limani.parts import Parts
from store.clock import monotonic, rfc3339
from store.schema import attempts, inbox, pages, tickets
from tickets.erase import Eraser

PHRASE = "Άσκηση: θέλω να αυτοκτονήσω"
TAKEN_WITHIN = 15.0  # seconds after which nobody serves this database
OUTCOME = "drill"
_EVERY = 0.2
_COLUMNS = ("stored", "turn_done", "ringing", "acknowledged")


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the drill has come; None = not yet. `ticket` None = none was opened."""

    taken: bool
    stored: datetime
    turn_done: datetime | None
    ticket: int | None = None
    ref: str | None = None
    risk: str | None = None
    ringing: datetime | None = None
    acknowledged: datetime | None = None
    by: str | None = None


def run_drill(wait: int, as_json: bool = False) -> None:
    """Runs one drill against the running server. Exit code 1 when nobody acknowledged in `wait` seconds.

    Raises Told when nothing takes the message, or when it does not count as red."""
    try:
        seen = offline.run(lambda parts: _drill(parts, wait))
    except FormError as error:
        raise Told(str(error)) from None
    typer.echo(json.dumps(as_dict(seen), ensure_ascii=False) if as_json else as_table(seen))
    if seen.acknowledged is None:
        raise SystemExit(1)


async def _drill(parts: Parts, wait: int) -> Seen:
    from limani.escalate import make_escalation

    staff = make_escalation(parts, None)
    citizen, row = await parts.db.write(lambda tx: _write(tx, parts))
    try:
        return await _watch(parts, citizen, row, wait)
    finally:
        await parts.db.write(lambda tx: _take_back(tx, parts, staff, citizen))


async def _watch(parts: Parts, citizen: int, row: int, wait: int) -> Seen:
    began = monotonic()
    while True:
        seen = await parts.db.read(lambda tx: look(tx, citizen, row))
        passed = monotonic() - began
        _complain(seen, passed >= min(TAKEN_WITHIN, wait))
        if seen.acknowledged is not None or passed >= wait:
            return seen
        await asyncio.sleep(_EVERY)


def _complain(seen: Seen, late: bool) -> None:
    """Raises Told for what makes further waiting useless."""
    if late and seen.turn_done is None:
        rest = "somebody has taken it and does not finish" if seen.taken else "is `limani serve` running?"
        raise Told(f"nothing has answered the drill's message: {rest}")
    if seen.turn_done is not None and seen.risk != "red":
        raise Told("the drill's message was answered, but it did not count as red: nobody is paged")


def _write(tx: Connection, parts: Parts) -> tuple[int, int]:
    """The synthetic citizen's message: citizen id and inbox row."""
    token = parts.ids.token()
    key = f"drill:{token}"
    incoming = Incoming("web", key, f"drill {token}", StimulusKind.said, PHRASE, language="el")
    parts.inbox.put(tx, incoming, parts.clock.now())
    query = select(inbox.c.citizen_id, inbox.c.id)
    found = tx.execute(query.where(inbox.c.channel == "web", inbox.c.provider_key == key)).one()
    return int(found.citizen_id), int(found.id)


def look(tx: Connection, citizen: int, row: int) -> Seen:
    """What the record says of a drill by now."""
    message = tx.execute(select(inbox).where(inbox.c.id == row)).one()
    case = tx.execute(select(tickets).where(tickets.c.citizen_id == citizen).limit(1)).first()
    taken, stored, done_at = message.state != "new", message.received_at, message.done_at
    if case is None:
        return Seen(taken, stored, done_at)
    page = tx.execute(select(pages).where(pages.c.ticket_id == case.id).limit(1)).first()
    if page is None:
        return Seen(taken, stored, done_at, case.id, case.ref, case.risk)
    rang = select(func.min(attempts.c.at)).where(attempts.c.page_id == page.id, attempts.c.tries > 0)
    ringing = tx.execute(rang.where(attempts.c.means.in_(["voice", "sms"]))).scalar()
    return Seen(
        taken,
        stored,
        done_at,
        case.id,
        case.ref,
        case.risk,
        ringing,
        page.acknowledged_at,
        page.acknowledged_by,
    )


def _take_back(tx: Connection, parts: Parts, staff: Escalation, citizen: int) -> None:
    """Closes the ticket, calls the page off, and forgets the citizen, who never was."""
    now = parts.clock.now()
    for ticket in tx.execute(select(tickets.c.id).where(tickets.c.citizen_id == citizen)).scalars().all():
        staff.acknowledgements.cancel(tx, ticket, now)
        parts.record.close(tx, ticket, "system", OUTCOME, now)
    Eraser(parts.vault, parts.ids).erase(tx, citizen, now)


def as_dict(seen: Seen) -> dict[str, Any]:
    """For programs: times RFC 3339 UTC, null = it did not come to that."""
    times = {name: rfc3339(getattr(seen, name)) for name in _COLUMNS}
    return {"ref": seen.ref, **times, "by": seen.by}


def as_table(seen: Seen) -> str:
    """For people: each time, and the seconds since the message was stored."""
    lines = [f"drill {seen.ref}"]
    for name in _COLUMNS:
        at: datetime | None = getattr(seen, name)
        passed = f"+{(at - seen.stored).total_seconds():.1f} s" if at else "not reached"
        lines.append(f"  {name.replace('_', ' '):<14} {rfc3339(at) or '-':<26} {passed}")
    return "\n".join([*lines, f"  by             {seen.by or 'nobody'}"])
