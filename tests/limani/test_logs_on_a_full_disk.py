"""A log that cannot be written stops nothing: a loop tells of its errors from where it catches them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import pytest
import structlog

from limani.logs import set_up_logs
from store.bell import Bell
from store.loop import Loop, Pulse, run


class _Full:
    """What stderr is when its disk is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


async def test_a_loop_goes_on_when_its_error_cannot_be_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    monkeypatch.setattr(sys, "stderr", _Full())
    set_up_logs("info")
    passes = asyncio.Event()
    tries = 0

    async def work() -> bool:
        nonlocal tries
        tries += 1
        if tries > 1:
            passes.set()
            return False
        raise LookupError("once")

    loop = asyncio.create_task(run(Loop("test", work, (), 0.01), Bell(), Pulse()))
    try:
        await asyncio.wait_for(passes.wait(), 5)
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        structlog.configure(**before)
