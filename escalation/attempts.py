"""Attempts as rows: written before the provider is called, claimed by lease, settled once.

    due -> sending(lease) -> ringing | unknown (repeated as a new row) | due again (refused) -> an end

An attempt stands for at most one call or text: one whose outcome is unknown stays unknown, and its repeat is
a row of its own. So a callback always finds the row that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, insert, or_, select, update

from escalation.policy import SET_BACK, Begin, was_set_back
from store.ids import Ids
from store.insert import insert_once
from store.moves import move
from store.schema import attempts, marks, pages, tickets
from tickets.states import ATTEMPT_MOVES, AttemptState, PageState

LEASE = timedelta(seconds=3)  # renewed each second while a request is under way: only a crash lets it run out
GAPS = (2, 3, 5, 6, 7)  # seconds before each repeat: six requests in 23 seconds
MOST_TRIES = len(GAPS) + 1
POLL = timedelta(seconds=20)  # a call that nobody tells us about is asked after
TEXT_RESTS = timedelta(minutes=2)
_LONGEST_WAIT = timedelta(seconds=10)  # before the same request is made again (a provider may ask for it)
LATE = timedelta(seconds=2)  # how late a call may start before its step is made longer
NUMBER_REFUSED = "number_refused"  # this phone will never be reached: its step does not wait for the repeats
KEYS = "23456789"  # 1 and 0 are what pockets and menus press
ACCOUNT_REFUSED = "account_refused"  # our own account: no other person can be reached either
_RING_AGAIN = (PageState.needed, PageState.ringing, PageState.exhausted)
_CALLS_MARK = "twilio_next_call"


@dataclass(frozen=True, slots=True)
class Job:
    """One request to make now."""

    id: int
    page: int
    person: str
    means: str
    ref: str
    lasts: timedelta


class Attempts:
    """Rows of attempts. `owner` marks the leases of this process; `cps` bounds calls started a second."""

    def __init__(self, ids: Ids, owner: str, cps: float) -> None:
        self._ids = ids
        self.owner = owner
        self._gap = timedelta(seconds=1.05 / cps)  # a little more, because requests do not travel evenly
        self._burst = timedelta(0) if cps < 5 else timedelta(seconds=0.25)

    def plan(self, tx: Connection, page: int, begin: Begin, now: datetime) -> None:
        """Writes the attempts of a step, ready to be sent."""
        for ring in begin.rings:
            self._insert(tx, page, begin.round, begin.step, ring.person, ring.means, now, now, 0)

    def claim(self, tx: Connection, now: datetime) -> list[Job]:
        """Takes what may be sent now, the most dangerous cases first; calls only as fast as allowed."""
        rows = tx.execute(_ready(now).with_for_update(skip_locked=True, of=attempts)).all()
        texts = [row for row in rows if row.means != "voice"]
        calls = [row for row in rows if row.means == "voice"]
        calls = calls[: self._call_slots(tx, len(calls), now)]
        return [self._take(tx, row, now) for row in (*calls, *texts)]

    def renew(self, tx: Connection, under_way: Iterable[int], now: datetime) -> None:
        """Keeps the leases of requests that this process is waiting for."""
        ids = list(under_way)
        if ids:
            ours = (attempts.c.id.in_(ids), attempts.c.lease_owner == self.owner)
            tx.execute(update(attempts).where(*ours).values(lease_until=now + LEASE))

    def doubt_lost(self, tx: Connection, now: datetime) -> None:
        """Whoever sent these has died: nobody knows whether they ring, so they are repeated at once."""
        over = or_(attempts.c.lease_until < now, attempts.c.lease_until > now + LEASE + SET_BACK)
        lost = (attempts.c.state == AttemptState.sending, over)
        for row in tx.execute(select(attempts).where(*lost)).all():
            if move(tx, attempts, row.id, ATTEMPT_MOVES, AttemptState.unknown, *lost, why="lost"):
                self._repeat(tx, row, now, now)

    def let_texts_rest(self, tx: Connection, now: datetime) -> None:
        """A text that nobody acted on for a while counts as unanswered; its link still works."""
        old = (attempts.c.means == "sms", attempts.c.state == AttemptState.ringing)
        over = {"state": AttemptState.unanswered, **_over(now)}
        tx.execute(update(attempts).where(*old, attempts.c.at <= now - TEXT_RESTS).values(**over))

    def rings(self, tx: Connection, attempt: int, provider_id: str, now: datetime) -> None:
        """The provider took it. A callback may have been faster, and told more."""
        known = {"provider_id": provider_id, "lease_owner": None}
        tx.execute(update(attempts).where(attempts.c.id == attempt).values(**known))
        _move(tx, attempt, AttemptState.ringing, due_at=now + POLL)
        self._drop_repeat(tx, attempt, now)

    def doubt(self, tx: Connection, attempt: int, now: datetime) -> None:
        """The request was written and no answer came: it is repeated unless a callback tells of it first."""
        row = get(tx, attempt)
        sending = attempts.c.state == AttemptState.sending
        if row and move(tx, attempts, attempt, ATTEMPT_MOVES, AttemptState.unknown, sending, why="no_answer"):
            self._repeat(tx, row, now + _gap(row.tries), now)

    def refuse(self, tx: Connection, attempt: int, why: str, now: datetime, after: float = 0.0) -> None:
        """Certainly nothing was done: the same attempt is made again, up to MOST_TRIES requests."""
        row = get(tx, attempt)
        if row is None or row.state != AttemptState.sending:
            return
        if row.tries >= MOST_TRIES or not _wanted(tx, row.page_id):
            _move(tx, attempt, AttemptState.failed, why=why, **_over(now))
            return
        due_at = now + max(_gap(row.tries), min(timedelta(seconds=after), _LONGEST_WAIT))
        _move(tx, attempt, AttemptState.due, due_at=due_at, why=why, lease_owner=None)

    def close_step(self, tx: Connection, page: int, round_: int, step: int, now: datetime) -> None:
        """The time of a step is over: what was not sent is not sent any more, and phones stop ringing.
        Somebody who has picked up may still press the key."""
        here = (attempts.c.page_id == page, attempts.c.round == round_, attempts.c.step == step)
        never = case((attempts.c.tries == 0, AttemptState.cancelled.value), else_=AttemptState.failed.value)
        due = attempts.c.state == AttemptState.due
        tx.execute(update(attempts).where(*here, due).values(state=never, **_over(now)))
        silent = (attempts.c.state == AttemptState.ringing, attempts.c.answered_at.is_(None))
        texts = attempts.c.means != "voice"
        over = {"state": AttemptState.unanswered}
        tx.execute(update(attempts).where(*here, *silent, texts).values(**over, **_over(now)))
        tx.execute(update(attempts).where(*here, *silent, ~texts).values(**over, due_at=now))

    def cancel_all(self, tx: Connection, page: int, now: datetime) -> None:
        """Somebody has the case, or it is closed: nothing more is sent, ringing phones are silenced."""
        mine = attempts.c.page_id == page
        state, voice = attempts.c.state, attempts.c.means == "voice"
        gone = {"state": AttemptState.cancelled}
        never = state == AttemptState.due
        texts = and_(state == AttemptState.ringing, ~voice)
        tx.execute(update(attempts).where(mine, or_(never, texts)).values(**gone, **_over(now)))
        tx.execute(
            update(attempts)
            .where(mine, state.in_([AttemptState.ringing, AttemptState.sending]))
            .values(**gone, due_at=now)
        )

    def to_end(self, tx: Connection, now: datetime) -> list[tuple[int, str]]:
        """Calls that still ring although nobody needs them: (attempt, provider id), taken for LEASE."""
        over = attempts.c.state.in_([AttemptState.cancelled, AttemptState.unanswered])
        rings = (attempts.c.means == "voice", attempts.c.ended_at.is_(None), attempts.c.answered_at.is_(None))
        query = select(attempts.c.id, attempts.c.provider_id).where(
            over, *rings, attempts.c.provider_id.is_not(None), _due(now, LEASE)
        )
        rows = tx.execute(query.limit(50).with_for_update(skip_locked=True)).all()
        _look_again(tx, [row.id for row in rows], now + LEASE)
        return [(row.id, row.provider_id) for row in rows]

    def ended(self, tx: Connection, attempt: int, now: datetime) -> None:
        """A call that nobody needed is over."""
        tx.execute(update(attempts).where(attempts.c.id == attempt).values(**_over(now)))

    def to_poll(self, tx: Connection, now: datetime) -> list[tuple[int, str]]:
        """Calls that no callback has told us about for a while: (attempt, provider id)."""
        quiet = (attempts.c.means == "voice", attempts.c.state == AttemptState.ringing)
        query = select(attempts.c.id, attempts.c.provider_id).where(
            *quiet, attempts.c.provider_id.is_not(None), _due(now, POLL)
        )
        rows = tx.execute(query.limit(20).with_for_update(skip_locked=True)).all()
        _look_again(tx, [row.id for row in rows], now + POLL)
        return [(row.id, row.provider_id) for row in rows]

    def answered_in_console(
        self, tx: Connection, page: Row[Any], person: str, via: str, now: datetime
    ) -> None:
        """An acknowledgement that no attempt of ours led to is a line of the story as well."""
        row = self._insert(tx, page.id, page.round, page.step, person, via, now, now, 0)
        done = {"state": AttemptState.acknowledged, **_over(now)}
        tx.execute(update(attempts).where(attempts.c.id == row).values(**done))

    def _insert(
        self,
        tx: Connection,
        page: int,
        round_: int,
        step: int,
        person: str,
        means: str,
        now: datetime,
        due_at: datetime,
        tries: int,
    ) -> int:
        row = self._ids.new()
        tx.execute(
            insert(attempts).values(
                id=row,
                page_id=page,
                round=round_,
                step=step,
                person=person,
                means=means,
                state=AttemptState.due,
                keys=self._keys(tx) if means == "voice" else "",
                tries=tries,
                at=now,
                due_at=due_at,
            )
        )
        return row

    def _keys(self, tx: Connection) -> str:
        """Two keys; the first differs from those of the last calls, so that no habit and no echo of an
        earlier prompt presses it."""
        calls = select(attempts.c["keys"]).where(attempts.c.means == "voice")
        last = tx.execute(calls.order_by(attempts.c.id.desc()).limit(6)).scalars()
        used = {keys[0] for keys in last}
        first = self._ids.choice("".join(key for key in KEYS if key not in used))
        return first + self._ids.choice(KEYS.replace(first, ""))

    def _repeat(self, tx: Connection, row: Row[Any], due_at: datetime, now: datetime) -> None:
        if row.tries < MOST_TRIES and _wanted(tx, row.page_id):
            again = (row.page_id, row.round, row.step, row.person, row.means)
            self._insert(tx, *again, now, due_at, row.tries)

    def _drop_repeat(self, tx: Connection, attempt: int, now: datetime) -> None:
        """A doubtful attempt turned out to ring: its repeat, if not under way yet, is not needed."""
        row = get(tx, attempt)
        if row is None or row.tries == 0:
            return
        same = [attempts.c[name] == getattr(row, name) for name in ("page_id", "round", "step", "person")]
        twin = (attempts.c.means == row.means, attempts.c.tries == row.tries, attempts.c.id > row.id)
        waits = attempts.c.state == AttemptState.due
        tx.execute(
            update(attempts)
            .where(*same, *twin, waits)
            .values(state=AttemptState.cancelled, why="not_needed", **_over(now))
        )

    def _call_slots(self, tx: Connection, wanted: int, now: datetime) -> int:
        """How many calls may start now. The next free instant is a row, so that processes share the rate."""
        if wanted == 0:
            return 0
        insert_once(tx, marks, "name", name=_CALLS_MARK, value="", at=now)
        before = tx.execute(select(marks.c.at).where(marks.c.name == _CALLS_MARK)).scalar_one()
        free, slots = now if was_set_back(before, self._burst + self._gap, now) else before, 0
        while slots < wanted and free <= now + self._burst:
            free, slots = max(free, now) + self._gap, slots + 1
        same = (marks.c.name == _CALLS_MARK, marks.c.at == before)
        won = slots == 0 or tx.execute(update(marks).where(*same).values(at=free)).rowcount == 1
        return slots if won else 0

    def _take(self, tx: Connection, row: Row[Any], now: datetime) -> Job:
        lease = {"lease_owner": self.owner, "lease_until": now + LEASE, "tries": row.tries + 1}
        _move(tx, row.id, AttemptState.sending, **lease)
        ends_at = row.ends_at
        if row.tries == 0 and now - row.at > LATE:
            ends_at += now - row.at  # it had to wait for its turn: the person gets the whole time
            tx.execute(update(pages).where(pages.c.id == row.page_id).values(due_at=ends_at))
        return Job(row.id, row.page_id, row.person, row.means, row.ref, max(ends_at - now, timedelta(0)))


def get(tx: Connection, attempt: int) -> Row[Any] | None:
    """One attempt."""
    return tx.execute(select(attempts).where(attempts.c.id == attempt)).first()


def _ready(now: datetime) -> Any:
    danger = case((tickets.c.risk == "red", 0), (tickets.c.risk == "amber", 1), else_=2)
    return (
        select(attempts, tickets.c.ref, pages.c.due_at.label("ends_at"))
        .join(pages, attempts.c.page_id == pages.c.id)
        .join(tickets, pages.c.ticket_id == tickets.c.id)
        .where(attempts.c.state == AttemptState.due, _due(now, _LONGEST_WAIT))
        .order_by(danger, attempts.c.due_at, attempts.c.id)
        .limit(100)
    )


def _due(now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Due by now, or so far ahead that the clock must have been set back since (see policy.SET_BACK)."""
    return or_(attempts.c.due_at <= now, attempts.c.due_at > now + longest + SET_BACK)


def _wanted(tx: Connection, page: int) -> bool:
    state = tx.execute(select(pages.c.state).where(pages.c.id == page)).scalar()
    return state in _RING_AGAIN


def _over(now: datetime) -> dict[str, Any]:
    """An attempt that is over is never looked at again: without a due time no index leads to it."""
    return {"ended_at": now, "due_at": None}


def _gap(tries: int) -> timedelta:
    return timedelta(seconds=GAPS[min(max(tries, 1), len(GAPS)) - 1])


def _move(tx: Connection, attempt: int, to: AttemptState, **values: Any) -> bool:
    return move(tx, attempts, attempt, ATTEMPT_MOVES, to, **values)


def _look_again(tx: Connection, rows: list[int], at: datetime) -> None:
    if rows:
        tx.execute(update(attempts).where(attempts.c.id.in_(rows)).values(due_at=at))
