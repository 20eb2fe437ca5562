"""python-telegram-bot serving the same flow: Application and ConversationHandler, in memory.

Updates come in as in PTB's own custom webhook example, by an aiohttp handler (quicker than its Tornado
server) that feeds the application's queue; the transport is stubbed where ours is.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import os
from typing import Any

import orjson
from aiohttp import web
from telegram import Update
from telegram.ext import Application
from telegram.request import BaseRequest, RequestData

from bench.peers.ptb_flow import add_handlers
from bench.updates import PATH, SECRET, TOKEN
from bench.wire import Stub
from limani.serve import run_async


class _Stubbed(BaseRequest):
    """The lowest transport: encodes nothing, sends nothing."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        return None

    async def shutdown(self) -> None:
        return None

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        return self._stub.answer(url, request_data.json_parameters if request_data else {})


async def _serve() -> None:
    request = _Stubbed(Stub())
    builder = Application.builder().token(TOKEN).updater(None)
    application = builder.request(request).get_updates_request(request).build()
    add_handlers(application)

    async def webhook(incoming: web.Request) -> web.Response:
        given = incoming.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given, SECRET):
            return web.Response(status=403)
        update = Update.de_json(orjson.loads(await incoming.read()), application.bot)
        await application.update_queue.put(update)
        return web.Response()

    app = web.Application()
    app.add_routes([web.post(PATH, webhook)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    async with application:
        await application.start()
        await web.TCPSite(runner, "127.0.0.1", int(os.environ["BENCH_PORT"])).start()
        gc.freeze()
        await asyncio.Event().wait()


if __name__ == "__main__":
    run_async(_serve())
