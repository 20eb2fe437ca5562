"""The dead-man switch hears of us only while we can serve."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestServer

from limani.health import State
from limani.heartbeat import Heartbeat


class Looks:
    """A health that says what it is told."""

    def __init__(self) -> None:
        self.state = State()

    async def look(self) -> State:
        return self.state


async def test_it_beats_while_all_is_well_and_falls_silent_when_not() -> None:
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/alive", hear)
    health = Looks()
    async with TestServer(app) as server:
        heartbeat = Heartbeat(str(server.make_url("/alive")), health)  # type: ignore[arg-type]
        await heartbeat.beat()
        assert heard == ["/alive"]
        health.state.wrong.append("loop pager stands still")
        await heartbeat.beat()
        assert heard == ["/alive"]


async def test_a_switch_that_does_not_answer_harms_nobody() -> None:
    heartbeat = Heartbeat("http://127.0.0.1:1/alive", Looks())  # type: ignore[arg-type]
    assert await heartbeat.beat() is False
