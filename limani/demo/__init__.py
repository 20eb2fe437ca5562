"""`limani demo`: the whole product with simulated phones around it, on one address.

Nothing is needed for it: no account, no token, no server. The database stays under var/demo.
"""

from __future__ import annotations

import asyncio
import signal


def run_demo(port: int = 8080) -> None:
    """Serves the demo until Ctrl-C and prints its address. Raises Told when it cannot start."""
    from limani.logs import set_up_logs
    from limani.serve import run_async

    set_up_logs("warning")
    run_async(_demo(port))


async def _demo(port: int) -> None:
    from limani.commands.told import Told
    from limani.demo.stage import free_port, open_stage

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        async with open_stage(free_port(port)) as stage:
            print(f"\n  Limani: {stage.url}/\n\n  Ctrl-C ends it.", flush=True)
            await stop.wait()
    except OSError as error:
        raise Told(f"the demo cannot start: {error}") from None
