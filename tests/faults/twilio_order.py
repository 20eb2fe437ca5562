"""Twilio's callbacks as they must not come: reversed, doubled, never, and before the call has a name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from sandbox.twilio_call import Call
from tests.faults.rig import town
from tests.faults.rig.driver import RED, telegram_headers, telegram_update
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import MARK
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.verdict import Verdict

SPEED = 5.0


async def callbacks(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """Each disorder on Eleni's phone; the page ends with her or with Nikos, never with nobody."""
    rules = town.policy(seconds=30, contact="6h")
    wish = Wish(speed=SPEED, rules=rules, drain=90, late=2 * SPEED, late_after_start=5 * SPEED)
    async with setting(home, folder, seed, wish) as here:
        disorders = (_reversed, _doubled, _missing, _early)
        for number, disorder in enumerate(disorders):
            eleni = here.stage.twilio.phone(town.PHONES["eleni"])
            eleni.behaviour = "acknowledges" if disorder is _early else _with(here, disorder)
            here.proxies["twilio"].plan = lambda request, early=disorder is _early: (  # type: ignore[misc]
                "slow" if early and "/Calls.json" in request.line else None
            )
            chat, text = 9001 + number, f"{RED} {MARK}tc{number}"
            body = telegram_update(60_000 + number, chat, 1, text)
            await here.driver.post("/webhooks/telegram", body, telegram_headers())
            here.ledger.accept("telegram", f"u{60_000 + number}", str(chat), 1, text, red=True)
            try:
                await here.stage.telegram.phone(chat).expects("Απάντησε άνθρωπος", 30)
            except AssertionError:
                here.verdict.pages_lost += 1
                here.verdict.blame(f"callbacks {disorder.__name__.strip('_')}: nobody was found")
    return len(disorders), here.verdict


def _with(here: Here, disorder):  # type: ignore[no-untyped-def]
    async def behave(call: Call) -> None:
        await disorder(here, call)

    return behave


async def _reversed(here: Here, call: Call) -> None:
    """ "completed" comes before "ringing": the end counts, the beginning does not bring it back."""
    await call.told()
    for sequence, status in ((3, "no-answer"), (1, "ringing"), (0, "initiated")):
        await _tell(here, call, status, sequence)
    call.order = replace(call.order, status_url="")
    call.finish("no-answer")


async def _doubled(here: Here, call: Call) -> None:
    """Every callback and every key twice."""
    await _tell(here, call, "ringing", 1)
    await _tell(here, call, "ringing", 1)
    await call.acknowledges()
    for _ in range(2):
        await _tell(here, call, "completed", 3)


async def _missing(here: Here, call: Call) -> None:
    """Nobody ever tells what became of the call: the step runs out, and Twilio is asked."""
    call.order = replace(call.order, status_url="")
    call.finish("no-answer")


async def _early(here: Here, call: Call) -> None:
    """The phone rings and is answered while the request that made the call still waits for its answer."""
    await asyncio.sleep(0)


async def _tell(here: Here, call: Call, status: str, sequence: int) -> None:
    params = {**call.base_params(), "CallStatus": status, "SequenceNumber": str(sequence)}
    if call.order.status_url:
        await here.stage.twilio.ask(call.order.status_url, params)
