"""Starts one aiohttp application on a loopback port and stops it again, quickly.

The port is kept after the first start, so that a provider which was "down" comes back at its old address.
"""

from __future__ import annotations

from typing import Self

from aiohttp import web

LOOPBACK = "127.0.0.1"
PATIENCE_ON_STOP = 0.05  # seconds; answers that a fault holds back must not hold up the test run


class Server:
    """`async with Server(app) as server: server.url`. Port 0 takes a free one."""

    def __init__(self, app: web.Application, port: int = 0) -> None:
        self.app = app
        self.port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end; known once started."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> Self:
        """Bind and listen; raises OSError when the port is taken."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=PATIENCE_ON_STOP)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Stop listening and cut what is open; harmless when not started."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()
