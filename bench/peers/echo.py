"""The floor of every door: bare aiohttp that reads JSON and answers it. `--raw` is the floor below that, a
protocol of a few lines, which shows what the generator itself can do.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os

from aiohttp import web

from bench.updates import PATH
from limani.serve import run_async

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def _echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


class _Raw(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_OK)  # type: ignore[attr-defined]


async def _serve(raw: bool) -> None:
    port = int(os.environ["BENCH_PORT"])
    if raw:
        await asyncio.get_running_loop().create_server(_Raw, "127.0.0.1", port)
    else:
        app = web.Application()
        app.add_routes([web.post(PATH, _echo)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", action="store_true")
    run_async(_serve(parser.parse_args().raw))
