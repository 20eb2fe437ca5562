"""Somebody sets the clock, by an hour, by a day, forward and back; and the two nights on which it is set.

The product's wall clock is the rig's (tests.faults.warp), which may be set while a person is being searched
for. With libfaketime the same is done to a process that knows nothing of the rig.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.rig import town
from tests.faults.rig.driver import RED, telegram_headers, telegram_update
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import MARK
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.verdict import Verdict

HOUR, DAY = 3600.0, 86_400.0
STEP = 20  # seconds of the product that each person has
SPEED = 5.0
NIGHTS = (datetime(2026, 10, 25, 0, 59, 45, tzinfo=UTC), datetime(2027, 3, 28, 0, 59, 45, tzinfo=UTC))
_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


async def clock_set(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """While Eleni's phone rings unheard the clock is set: Nikos is asked all the same, in time or early."""
    whole = Verdict()
    for number, seconds in enumerate((HOUR, -HOUR, DAY, -DAY, 0.5 * STEP, -0.5 * STEP)):
        async with _searched(home, folder / f"set-{number}", seed) as here:
            await _cry(here, 7001 + number)
            await here.stage.twilio.phone(town.PHONES["eleni"]).rings(within=10)
            await _set(here, seconds)
            await _taken(here, 7001 + number, f"the clock was set by {seconds:.0f} s")
        whole.add(here.verdict)
    return 6, whole


async def clock_changes(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """A cry a few seconds before the hour that comes twice, and before the one that never comes."""
    whole = Verdict()
    for number, night in enumerate(NIGHTS):
        async with _searched(home, folder / f"night-{number}", seed, start=False) as here:
            here.warp.set_ahead(night.timestamp() - here.warp.now())
            await here.site.start_all()
            await _cry(here, 7101 + number)
            await _taken(here, 7101 + number, f"the night of {night:%d %B %Y}")
        whole.add(here.verdict)
    return 2, whole


def _searched(home: Home, folder: Path, seed: int, start: bool = True):  # type: ignore[no-untyped-def]
    rules = town.policy(seconds=STEP, contact="6h")
    wish = Wish(
        speed=SPEED, rules=rules, start=start, late=3 * SPEED, late_after_start=6 * SPEED, acknowledges=False
    )
    return setting(home, folder, seed, wish)


async def _cry(here: Here, chat: int) -> None:
    here.stage.twilio.phone(town.PHONES["nikos"]).behaviour = "acknowledges"
    here.stage.twilio.phone(town.PHONES["dora"]).behaviour = "acknowledges"
    text = f"{RED} {MARK}{chat}"
    body = telegram_update(40_000 + chat, chat, 1, text)
    await here.driver.post("/webhooks/telegram", body, telegram_headers())
    here.ledger.accept("telegram", f"u{40_000 + chat}", str(chat), 1, text, red=True)


async def _set(here: Here, seconds: float) -> None:
    before = here.warp.now()
    here.warp.set_ahead(seconds)
    here.ledger.leap(before, here.warp.now())
    here.site.look_at_clock()


async def _taken(here: Here, chat: int, what: str) -> None:
    begun = time.monotonic()
    try:
        await here.stage.telegram.phone(chat).expects("Απάντησε άνθρωπος", 2.5 * STEP / SPEED + 4)
    except AssertionError:
        here.verdict.pages_lost += 1
        here.verdict.blame(f"{what}: nobody was found in {2.5 * STEP:.0f} s of the product and a little")
    passed = (time.monotonic() - begun) * SPEED
    here.verdict.figures[f"{what}: found after, s"] = round(passed, 1)


async def faketime_steps(folder: Path, seed: int) -> tuple[int, Verdict]:
    """The same by libfaketime (Debian: faketime) under a product at real speed, ahead and back by an hour."""
    library = next((path for path in _LIBRARIES if os.path.exists(path)), None)
    if library is None:
        verdict = Verdict()
        verdict.blame("libfaketime is not installed: apt-get install faketime")
        return 0, verdict
    folder.mkdir(parents=True, exist_ok=True)
    dial = folder / "faketime"
    dial.write_text("+0s")
    environment = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(dial),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    whole = Verdict()
    rules = town.policy(seconds=6, contact="6h")
    async with Home(environment) as home:
        for number, seconds in enumerate((3600, -3600)):
            wish = Wish(rules=rules, late=3 * HOUR, late_after_start=3 * HOUR, acknowledges=False)
            async with setting(home, folder / f"fake-{number}", seed, wish) as here:
                await _cry(here, 7201 + number)
                await here.stage.twilio.phone(town.PHONES["eleni"]).rings(within=10)
                dial.write_text(f"{seconds:+d}s")
                await asyncio.sleep(0)
                try:
                    await here.stage.telegram.phone(7201 + number).expects("Απάντησε άνθρωπος", 30)
                except AssertionError:
                    here.verdict.pages_lost += 1
                    here.verdict.blame(f"faketime {seconds:+d} s: nobody was found in 30 s")
                dial.write_text("+0s")
            whole.add(here.verdict)
    return 2, whole
