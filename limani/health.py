"""What an outside monitor asks: alive, able to serve, and the figures.

Alive = the process answers. Able to serve = the store answers, the spool is small, every loop beats. Red
tickets that nobody looks after are told beside it and do not make a server unready: taking its door away
would take the responders' one-tap links away with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, select

from bot.channels.webhook import Refusals
from bot.spool import Spool
from escalation.watch import unattended
from limani.parts import Parts
from limani.presence import Lonely, beats
from limani.roles import ROLES
from store.clock import monotonic
from store.database import StoreUnavailable
from store.loop import Pulse
from store.schema import tickets

STORE_SECONDS = 2.0  # how long a monitor waits for the store
LOOP_SECONDS = 5.0  # a loop without a beat for longer stands still
SPOOL_BYTES = 1024 * 1024  # more than this means that the store has been away for long
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(slots=True)
class State:
    """What a look at the product found; `wrong` keeps this process from serving, `warnings` do not. `lonely`
    are roles that no process has: this one serves, and the heartbeat must not say that all is well."""

    wrong: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lonely: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether citizens can be served."""
        return not self.wrong


class _Since:
    """Since when there has been something, as far as anybody has looked: the spool does not say."""

    def __init__(self) -> None:
        self._at: float | None = None

    def look(self, size: int) -> float:
        """Seconds; 0 while there is nothing."""
        if not size:
            self._at = None
            return 0.0
        if self._at is None:
            self._at = monotonic()
        return monotonic() - self._at


class Health:
    """GET /healthz, /readyz and /metrics."""

    def __init__(
        self,
        parts: Parts,
        spool: Spool,
        pulse: Pulse,
        refusals: Refusals,
        rings: Callable[[datetime], bool] = lambda _: True,
    ) -> None:
        self._db = parts.db
        self._figures = parts.figures
        self._since, self._lonely = _Since(), Lonely(ROLES)
        self._clock = parts.clock
        self._spool = spool
        self._pulse = pulse
        self._refusals = refusals
        self._rings = rings  # whether somebody can be rung at a moment

    def routes(self) -> list[web.RouteDef]:
        """The three paths."""
        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]

    async def look(self) -> State:
        """What is wrong now. Never raises."""
        state = State()
        if not self._rings(self._clock.now()):
            state.warnings.append("nobody can be rung now: a red message gets the 24-hour lines at once")
        if self._figures.levels.get(("redis_up",)) == 0:
            state.warnings.append("Redis does not answer: wake-ups and rates are this process's own")
        await self._look_at_store(state)
        self._look_at_spool(state)
        for name in self._pulse.late(LOOP_SECONDS):
            state.wrong.append(f"loop {name} stands still")
        return state

    async def _look_at_store(self, state: State) -> None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                refs, found = await self._db.read(lambda tx: (self._unattended(tx), beats(tx, ROLES)))
        except (StoreUnavailable, TimeoutError):
            state.wrong.append("the store does not answer")
        else:
            state.warnings += [f"red ticket {ref} is unattended" for ref in refs]
            state.lonely += self._lonely.among(found, self._clock.now())
            state.warnings += [f"no process has the role {role}" for role in state.lonely]

    def _unattended(self, tx: Connection) -> list[str]:
        found = unattended(tx, self._clock.now())
        return list(tx.execute(select(tickets.c.ref).where(tickets.c.id.in_(found))).scalars())

    def _look_at_spool(self, state: State) -> None:
        size = self._spool.size()
        self._since.look(size)
        if size > SPOOL_BYTES:
            state.wrong.append(f"{size} bytes wait in the spool")
        elif size:
            state.warnings.append(f"{size} bytes wait in the spool")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.json_response({"alive": True}, headers=_NO_STORE)

    async def _ready(self, request: web.Request) -> web.Response:
        state = await self.look()
        body: dict[str, Any] = {"ready": state.ready, "wrong": state.wrong, "warnings": state.warnings}
        return web.json_response(body, status=200 if state.ready else 503, headers=_NO_STORE)

    async def _metrics(self, request: web.Request) -> web.Response:
        from limani.metrics import CONTENT_TYPE, as_text, database_figures, process_figures

        size = self._spool.size()
        own = (self._figures, self._pulse, self._refusals.counts, size, self._since.look(size))
        figures = process_figures(*own)
        now = self._clock.now()
        try:
            async with asyncio.timeout(STORE_SECONDS):
                figures += await self._db.read(lambda tx: database_figures(tx, now))
        except (StoreUnavailable, TimeoutError):
            pass  # limani_store_up is missing: that is the alarm
        return web.Response(body=as_text(figures), headers={"Content-Type": CONTENT_TYPE, **_NO_STORE})
