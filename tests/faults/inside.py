"""What the rig changes inside a forked product: its clock, its loop, the instant of its death.

warp    its clock: all its time runs so many times as fast, from an origin that the rig's own clock shares
crash   names of points; at the first of them the process kills itself
count   a file that gets the name of every point that was reached, in order
"""

from __future__ import annotations

import asyncio
import selectors
import signal
import time
from typing import Any

from tests.faults.points import Points
from tests.faults.warp import Warp


def furnish(rig: dict[str, Any]) -> None:
    """Before the command begins."""
    warp = Warp(**rig["warp"]) if rig.get("warp") else None
    if warp is not None:
        _wind(warp)
    points = None
    if rig.get("crash") or rig.get("count"):
        points = Points(frozenset(rig.get("crash") or ()), rig.get("count"))
        points.listen()
    if warp is not None or points is not None:
        _run_on(lambda: FastLoop(warp.speed if warp else 1.0))


def _wind(warp: Warp) -> None:
    """The product's wall clock is the rig's; SIGUSR1 tells it that somebody has set that one."""
    import store.clock

    store.clock.SystemClock.now = lambda _self: warp.moment()  # type: ignore[method-assign,assignment]
    signal.signal(signal.SIGUSR1, lambda *_: warp.look())


def _run_on(make_loop: Any) -> None:
    """The server's loop is the pure one: uvloop's steps are in C, where nobody can count them."""
    import limani.serve

    def run_async(main: Any) -> None:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(main)

    limani.serve.run_async = run_async


class FastLoop(asyncio.SelectorEventLoop):
    """Its seconds are shorter by `speed`; what it waits for in the kernel is shorter alike."""

    def __init__(self, speed: float) -> None:
        self._speed, self._begun = speed, time.monotonic()
        super().__init__(_FastSelector(speed))

    def time(self) -> float:
        """Seconds of this loop."""
        return self._begun + (time.monotonic() - self._begun) * self._speed


class _FastSelector(selectors.EpollSelector):
    def __init__(self, speed: float) -> None:
        super().__init__()
        self._faster = speed

    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout / self._faster if timeout and timeout > 0 else timeout)
