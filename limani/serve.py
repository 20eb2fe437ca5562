"""`limani serve`: listens, runs the loops of its roles, and stops without losing anything.

On SIGTERM the door closes first, then the loops, then what is being sent gets its outcome. On SIGKILL
nothing of this happens, and nothing is lost either: that is what the rows are for.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import structlog
from aiohttp import web

from config.profile import ProfileError
from config.settings import Settings
from escalation.forms import FormError
from limani.alone import check_keys, hold_file
from limani.app import App, make_app, spool_folder
from limani.commands.offline import given_settings
from limani.commands.told import Told
from limani.logs import quiet_ends, set_up_logs
from limani.roles import ROLES
from limani.spools import own_spool
from limani.web import listen
from store.database import StoreUnavailable
from store.loop import run

log = structlog.get_logger()


def run_serve(role: str) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises Told when it cannot start."""
    settings = given_settings()
    roles = parse_roles(role)
    set_up_logs(settings.log_level, role="+".join(roles))
    quiet_ends()
    run_async(serve(settings, roles))


def parse_roles(role: str) -> tuple[str, ...]:
    """`all`, or a list of roles."""
    roles = ROLES if role == "all" else tuple(part.strip() for part in role.split(","))
    strange = [part for part in roles if part not in ROLES]
    if strange:
        raise Told(f"--role takes all, or some of {','.join(ROLES)}; not {strange[0]}")
    return roles


def run_async(main: object) -> None:
    """asyncio.run on uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)  # type: ignore[arg-type]
    else:
        uvloop.run(main)  # type: ignore[arg-type]


async def serve(settings: Settings, roles: Iterable[str]) -> None:
    """The server's life."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    roles = tuple(roles)
    held = _spool(settings) if "web" in roles else None
    app = await started(settings, spool=held[0] if held else None)
    async with serving(app, roles) as port:
        log.info("serving", host=settings.host, port=port)
        print(f"limani serves on http://{settings.host}:{port}", file=sys.stderr, flush=True)
        _warn(app)
        await stop.wait()
    log.info("stopped")
    if held is not None:
        held[1].close()


def _spool(settings: Settings) -> tuple[Path, IO[bytes]] | None:
    """A folder that cannot be written to keeps nobody from serving: without a spool a door whose store is
    away answers 503, and the provider tries again."""
    try:
        return own_spool(spool_folder(settings), settings.port)
    except OSError as error:
        log.error("no_spool", error=type(error).__name__)
        return None


def _warn(app: App) -> None:
    """What somebody has to know at once, and a log may hide."""
    if not app.staff.duty.on_call_now(app.parts.clock.now()):
        log.warning("nobody_on_call")
        words = (
            "warning: nobody can be rung now; a red message is answered with the truth and 112, 1018, 10306"
        )
        print(words, file=sys.stderr, flush=True)

    if app.parts.settings.rasa_url:
        words = "warning: LIMANI_RASA_URL has no effect yet; the embedded engine answers"
        print(words, file=sys.stderr, flush=True)


async def started(settings: Settings, auto_login: str | None = None, spool: Path | None = None) -> App:
    """The product, or one clear sentence why not. `spool`: see limani.app.make_app."""
    try:
        app = await make_app(settings, auto_login=auto_login, spool=spool)
        await check_keys(app.parts)
        return app
    except (ProfileError, FormError, StoreUnavailable, ValueError) as error:
        raise Told(str(error)) from None


def _settle_memory() -> None:
    """What was loaded stays, so the collector need never look at it; what loading left over goes back to
    the system."""
    gc.freeze()
    gc.enable()
    with suppress(OSError, AttributeError):  # not every C library has it
        ctypes.CDLL(None).malloc_trim(0)


@asynccontextmanager
async def serving(
    app: App, roles: tuple[str, ...] = ROLES, more: Iterable[web.RouteDef] = ()
) -> AsyncIterator[int]:
    """Everything runs inside this block; gives the port. `more`: routes beside the product's own."""
    settings = app.parts.settings
    try:
        lock = hold_file(settings.database_url)
    except ValueError as error:
        raise Told(str(error)) from None
    await app.start(roles)
    try:
        runner, port = await listen(app.web_app(more, roles), settings.host, settings.port)
    except OSError as error:
        await app.stop()
        raise Told(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    _settle_memory()
    tasks = [asyncio.create_task(run(loop, app.parts.bell, app.pulse)) for loop in app.loops(roles)]
    if settings.redis_url:
        tasks.append(asyncio.create_task(app.parts.bell.relay(settings.redis_url)))
    try:
        yield port
    finally:
        await runner.cleanup()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await app.stop()
        if lock is not None:
            lock.close()
