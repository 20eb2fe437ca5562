"""A tiny webhook receiver that stands where the product would: it keeps what it got and answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.server import Server

Answerer = Callable[["Got"], web.Response]


class Got:
    """One webhook request, raw and parsed."""

    def __init__(self, request: web.Request, body: bytes, form: dict[str, str], json: Any) -> None:
        self.url = str(request.url)
        self.path = request.path
        self.method = request.method
        self.headers = request.headers
        self.body = body
        self.form = form
        self.json = json


class Receiver:
    """`async with Receiver() as product`; `answers[path]` is a function from Got to a response."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: dict[str, Answerer] = {}
        self._changed = asyncio.Condition()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._take)
        self.server = Server(app)

    async def __aenter__(self) -> Receiver:
        await self.server.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.stop()

    def at(self, path: str) -> str:
        """The public address of a path."""
        return self.server.url + path

    def on(self, path: str, body: str = "", status: int = 200, content_type: str = "text/xml") -> None:
        """Always answer this path with this."""
        self.answers[path] = lambda got: web.Response(status=status, text=body, content_type=content_type)

    async def until(self, enough: Callable[[list[Got]], bool], within: float = 5.0) -> list[Got]:
        """What arrived so far, once it is enough."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: enough(self.got))
        return self.got

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        is_form = request.content_type == "application/x-www-form-urlencoded"
        form = {k: str(v) for k, v in (await request.post()).items()} if is_form else dict(request.query)
        parsed = await request.json() if request.content_type == "application/json" else None
        got = Got(request, body, form, parsed)
        async with self._changed:
            self.got.append(got)
            self._changed.notify_all()
        answer = self.answers.get(got.path)
        return answer(got) if answer else web.Response()
