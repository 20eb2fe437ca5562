"""The HTTP server: one list of routes, one middleware for what must be true of every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from itertools import count

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from limani.logs import REQUEST
from store.database import StoreUnavailable

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Closing = Callable[[web.Application], Awaitable[None]]
_numbers = count(1)
MOST_BODY = 4 * 1024 * 1024
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}


@web.middleware
async def every_answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Security headers everywhere; a failure is a bare status, never a trace or a citizen's word."""
    REQUEST.set(next(_numbers))
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        _dress(answer)
        raise
    except StoreUnavailable:
        response = web.Response(status=503, headers={"Retry-After": "5"})
    except Exception as error:
        where = request.match_info.route.resource
        log.error("request_failed", path=where.canonical if where else "?", error=type(error).__name__)
        response = web.Response(status=500)
    _dress(response)
    return response


def _dress(response: web.StreamResponse) -> None:
    if response.prepared:
        return
    headers = response.headers
    for name, value in _HEADERS.items():
        if name not in headers:
            headers[name] = value


def make_web_app(
    routes: Iterable[web.RouteDef], closing: Iterable[Closing] = (), inner: Iterable[Middleware] = ()
) -> web.Application:
    """The application that serves all rooms. `closing` ends open streams when the server stops; `inner` sees
    requests as their handlers do."""
    app = web.Application(middlewares=[every_answer, *inner], client_max_size=MOST_BODY)
    app.add_routes(routes)
    app.on_shutdown.extend(closing)
    return app


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Starts serving; returns the runner and the port (a free one for 0). Access logs are off: the
    addresses of one-tap links and of Telegram's files are secrets."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, int(runner.addresses[0][1])
