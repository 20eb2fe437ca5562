"""`python tests/faults/house.py`: a parent that has loaded the product once and forks it again and again.

A fresh Python needs two seconds to load what a fork has at once; with thousands of restarts that is the
difference between a rig that is run and one that is not. What is forked is the product itself: the command
line's own entry with its own environment, killed for good by its own process id.

Orders come as JSON lines on stdin, {"order": 1, "arguments": [...], "environment": {...}, "log": FILE, "rig":
{...}}; answers leave on stdout, {"order": 1, "pid": 2} at once and {"order": 1, "code": -9} at the end.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import selectors
import signal
import sys
from typing import Any

_DIES_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


def preload() -> None:
    """Everything that a server or a command loads, and the engine that reads texts."""
    import asyncpg  # noqa: F401
    import redis.asyncio  # noqa: F401
    import telegram  # noqa: F401
    import twilio.rest  # type: ignore[import-untyped]  # noqa: F401
    import uvloop  # noqa: F401

    import bot.channels.telegram_http  # noqa: F401
    import limani.app
    import limani.cli
    import limani.commands.offline
    import limani.metrics
    import limani.serve
    import store.postgres
    import store.sqlite  # noqa: F401

    mind = limani.app.load_mind()
    limani.app.load_mind = lambda: mind
    gc.collect()
    gc.freeze()


class House:
    """Forks on order and tells of every end."""

    def __init__(self) -> None:
        self._orders: dict[int, int] = {}  # pid -> order
        self._unread = b""

    def run(self) -> None:
        """Until stdin ends. Children die with this process."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        os.set_blocking(read, False)
        signal.set_wakeup_fd(write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        watch = selectors.DefaultSelector()
        watch.register(0, selectors.EVENT_READ)
        watch.register(read, selectors.EVENT_READ)
        self._tell({"ready": os.getpid()})
        while True:
            for key, _ in watch.select():
                if key.fd == read:
                    os.read(read, 4096)
                    self._reap()
                elif not self._take_orders():
                    return

    def _take_orders(self) -> bool:
        fresh = os.read(0, 1 << 16)
        *lines, self._unread = (self._unread + fresh).split(b"\n")
        for line in lines:
            self._fork(json.loads(line))
        return bool(fresh)

    def _fork(self, order: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            be_the_product(order)
        self._orders[pid] = order["order"]
        self._tell({"order": order["order"], "pid": pid})

    def _reap(self) -> None:
        while self._orders:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._tell({"order": self._orders.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, news: dict[str, Any]) -> None:
        os.write(1, (json.dumps(news) + "\n").encode())


def be_the_product(order: dict[str, Any]) -> None:
    """In the child: the command line with these arguments, and never back."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
        _redirect(order["log"], order.get("output"))
        os.environ.clear()
        os.environ.update(order["environment"])
        code = _run(order["arguments"], order.get("rig") or {})
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: str, output: str | None) -> None:
    """stdin is empty, stderr and stdout go to files: nothing of the parent's is left."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.dup2(os.open(output or log, flags, 0o600), 1)
    os.dup2(os.open(log, flags, 0o600), 2)


def _run(arguments: list[str], rig: dict[str, Any]) -> int:
    import limani.cli

    if rig:
        from tests.faults.inside import furnish

        furnish(rig)
    sys.argv = ["limani", *arguments]
    limani.cli.main()
    return 0


if __name__ == "__main__":
    sys.path[0] = os.getcwd()  # the checkout whose product this is
    preload()
    House().run()
