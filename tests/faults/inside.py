"""What the rig changes inside a forked product: nothing but its clock, its loop, and the instant of its death.

    speed   all its time runs so many times as fast: a minute's step is waited for in seconds
    offset  seconds that its wall clock is ahead; SIGUSR1 adds the seconds that the file `jump` names
    crash   names of points; at the first of them the process kills itself
    count   a file that gets the name of every point that was reached, in order
"""

from __future__ import annotations

import asyncio
import selectors
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.points import Points


def furnish(rig: dict[str, Any]) -> None:
    """Before the command begins."""
    speed = float(rig.get("speed", 1))
    _wind(speed, float(rig.get("offset", 0)), rig.get("jump"))
    points = None
    if rig.get("crash") or rig.get("count"):
        points = Points(frozenset(rig.get("crash") or ()), rig.get("count"))
        points.listen()
    if speed != 1 or points is not None:
        _run_on(lambda: FastLoop(speed))


def _wind(speed: float, offset: float, jump: str | None) -> None:
    """The wall clock: it began at `offset` and runs at `speed`."""
    import store.clock

    begun, ahead = time.monotonic(), [offset]
    start = datetime.now(UTC)

    def now(_self: object) -> datetime:
        passed = (time.monotonic() - begun) * speed
        return start + timedelta(seconds=passed + ahead[0])

    def leap(_signal: int, _frame: object) -> None:
        assert jump is not None
        ahead[0] += float(Path(jump).read_text())

    if speed != 1 or offset or jump:
        store.clock.SystemClock.now = now  # type: ignore[method-assign,assignment]
    if jump:
        signal.signal(signal.SIGUSR1, leap)


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
