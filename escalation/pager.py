"""The pager: from "a human is needed" to "somebody has it", whatever dies on the way.

Each pass: decide and write rows, commit, then speak to the provider beside, and write what came of it. No
request is made inside a transaction, and none that is slow keeps another page waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.twilio import TwilioBusy, TwilioError, TwilioRefused
from escalation.attempts import NUMBER_REFUSED, Attempts, Job
from escalation.callbacks import CallNews, apply_call
from escalation.carrier import Carrier, certainly_not_done, reason
from escalation.duty import Duty
from escalation.progress import Progress
from store.bell import Bell
from store.clock import Clock
from store.database import Database, StoreUnavailable
from store.loop import Loop

log = structlog.get_logger()
EVERY = 0.25  # seconds between looks: a step may begin two seconds late, this is a good part of it


@dataclass(slots=True)
class _Due:
    """What one pass found to do at the provider."""

    jobs: list[Job]
    endings: list[tuple[int, str]]
    polls: list[tuple[int, str]]
    told: bool


class Pager:
    """`tick` is one pass; `idle` waits for the requests that are under way."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        clock: Clock,
        progress: Progress,
        known: Attempts,
        duty: Duty,
        carrier: Carrier | None,
    ) -> None:
        self._db, self._bell, self._clock = db, bell, clock
        self._progress = progress
        self._attempts = known
        self._duty = duty
        self._carrier = carrier
        self._under_way: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def loop(self) -> Loop:
        """The loop that the harbour master runs."""
        return Loop("pager", self.tick, ("pager",), EVERY)

    async def tick(self) -> bool:
        """One pass. Never waits for the provider, and so always says that nothing more is to be done now."""
        due = await self._db.write(self._pass)
        if due.told:
            self._bell.ring("inbox")
        if due.told or due.jobs:
            self._bell.ring("console")
        for job in due.jobs:
            self._under_way.add(job.id)
            self._spawn(self._send(job))
        for attempt, sid in due.endings:
            self._spawn(self._end(attempt, sid))
        for attempt, sid in due.polls:
            self._spawn(self._poll(attempt, sid))
        return False

    async def idle(self) -> None:
        """Returns when no request is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Leaves the rest to the next process: leases run out by themselves."""
        for task in self._tasks:
            task.cancel()
        await self.idle()

    def _pass(self, tx: Connection) -> _Due:
        now = self._clock.now()
        self._attempts.renew(tx, self._under_way, now)
        self._attempts.doubt_lost(tx, now)
        self._attempts.let_texts_rest(tx, now)
        told = self._progress.pass_over(tx, now)
        if self._carrier is None:
            return _Due([], [], [], told)
        endings, polls = self._attempts.to_end(tx, now), self._attempts.to_poll(tx, now)
        return _Due(self._attempts.claim(tx, now), endings, polls, told)

    async def _send(self, job: Job) -> None:
        try:
            await self._write(await self._ask(job))
        finally:
            self._under_way.discard(job.id)
            self._bell.ring("pager")

    async def _ask(self, job: Job) -> Callable[[Connection], None]:
        """Makes one request and says how to write down what came of it."""
        phone = self._duty.phone(job.person)
        if self._carrier is None or phone is None:
            return self._refused(job, NUMBER_REFUSED)
        try:
            sid = await self._carrier.reach(job, phone)
        except TwilioRefused as refused:
            self._alarm(refused)
            return self._refused(job, reason(refused))
        except TwilioBusy as busy:
            return self._refused(job, "provider_busy", busy.after or 0.0)
        except TwilioError as error:
            return self._unsure(job, error)
        self._duty.refused = False
        return lambda tx: self._attempts.rings(tx, job.id, sid, self._clock.now())

    def _refused(self, job: Job, why: str, after: float = 0.0) -> Callable[[Connection], None]:
        log.warning("page_refused", attempt=job.id, means=job.means, why=why)
        return lambda tx: self._attempts.refuse(tx, job.id, why, self._clock.now(), after)

    def _unsure(self, job: Job, error: TwilioError) -> Callable[[Connection], None]:
        log.warning("page_unsure", attempt=job.id, means=job.means, error=type(error).__name__)
        if certainly_not_done(error):
            return lambda tx: self._attempts.refuse(tx, job.id, "not_reached", self._clock.now())
        return lambda tx: self._attempts.doubt(tx, job.id, self._clock.now())

    def _alarm(self, refused: TwilioRefused) -> None:
        """Our own account is refused: nobody can be rung, so nobody may be promised a call."""
        if refused.config:
            self._duty.refused = True
            log.error("twilio_refuses_us", code=refused.code, status=refused.status)

    async def _end(self, attempt: int, sid: str) -> None:
        if self._carrier is None:
            return
        try:
            await self._carrier.end(sid)
        except TwilioError as error:
            log.warning("call_not_ended", attempt=attempt, error=type(error).__name__)
            return  # its row is looked at again when the lease is over
        now = self._clock.now()
        await self._write(lambda tx: self._attempts.ended(tx, attempt, now))

    async def _poll(self, attempt: int, sid: str) -> None:
        if self._carrier is None:
            return
        try:
            status = await self._carrier.status(sid)
        except TwilioError as error:
            log.warning("call_not_polled", attempt=attempt, error=type(error).__name__)
            return
        news = CallNews(sid, status)
        await self._write(
            lambda tx: _ignore(apply_call(tx, self._attempts, attempt, news, self._clock.now()))
        )
        self._bell.ring("pager")

    async def _write(self, work: Callable[[Connection], None]) -> None:
        """If the store is down the lease runs out, and the attempt is repeated as one of unknown outcome."""
        try:
            await self._db.write(work)
        except StoreUnavailable:
            log.error("attempt_not_written")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("pager_task_failed", error=type(error).__name__)


def _ignore(_result: Any) -> None:
    return None
