"""`python -m bench.house [--role ...]`: the product itself, with a stub below its Telegram client.

Everything else is as in `limani serve`: settings from the environment, the real door, store and loops. Only
the lowest request (PTB's Bot above it is real) answers at once and tells the generator, as in the peers.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.wire import Stub
from bot.channels.telegram_http import AioRequest
from limani.commands.offline import given_settings
from limani.logs import set_up_logs
from limani.serve import parse_roles, run_async, serving, started


def replace_transport() -> None:
    """From here on no request of the Telegram client leaves the process."""
    stub = Stub()

    async def ask(self: Any, url: str, form: Mapping[str, str], total: float) -> tuple[int, bytes]:
        return stub.answer(url, form)

    AioRequest.ask = ask  # type: ignore[method-assign]


async def _serve(roles: tuple[str, ...]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if "BENCH_PROFILE" in os.environ:
        _watch(loop, Path(os.environ["BENCH_PROFILE"]))
    app = await started(given_settings())
    async with serving(app, roles):
        await stop.wait()


def _watch(loop: asyncio.AbstractEventLoop, path: Path) -> None:
    """A stopwatch in every stage: SIGUSR1 sets it to nothing, SIGUSR2 writes it down."""
    from bench.stages import Stopwatch, install

    watch = Stopwatch()
    for name in install(watch):
        print(f"the product has no {name} any more", file=sys.stderr)
    loop.add_signal_handler(signal.SIGUSR1, watch.reset)
    loop.add_signal_handler(signal.SIGUSR2, watch.dump, path)


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", default="all")
    given = parser.parse_args()
    gc.disable()
    set_up_logs("warning")
    replace_transport()
    run_async(_serve(parse_roles(given.role)))


if __name__ == "__main__":
    main()
