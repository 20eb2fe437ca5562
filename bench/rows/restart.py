"""kill -9 while a page waits for its next step; started again after the step was due: when does it ring?

GoAlert, the most tested open pager that we know, looks for due work every 5 s.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from statistics import median

import yaml

from bench import servers, talk
from bench.run import Figure, Figures, RowFailed, Run, say
from bench.town import Town, town
from bench.twilio_stub import TwilioStub, twilio

STEP = 2  # seconds of each step of the policy
OVERDUE = 1.0  # seconds that the next step is overdue when the product starts again


async def measure(run: Run) -> Figures:
    """Seconds from the start of the new process to the first request for a call; the median of some."""
    waits = []
    folder = run.place("restart")
    (folder / "policy.yaml").write_text(yaml.safe_dump(servers.rules(STEP)))
    async with town(folder) as place, twilio() as phones:
        for number in range(run.rounds(5)):
            waits.append(await _once(place, phones, number))
            for left in folder.glob("limani.db*"):
                left.unlink()
            for left in folder.glob("spool-*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    say(f"  {', '.join(f'{wait:.2f}' for wait in waits)} s")
    own = median(waits)
    detail = {"all": [round(wait, 3) for wait in waits]}
    return {"restart": Figure(own, f"{own:.2f} s, at most {max(waits):.2f} s", "", detail)}


async def _once(place: Town, phones: TwilioStub, number: int) -> float:
    async with servers.running(await place.start(**phones.settings())) as before:
        await servers.ready(before, place.log)
        await place.telegram.phone(number + 1).says(talk.RED[0])
        await _call(phones)
        await asyncio.sleep(0.5)  # the outcome of the call is written
        before.process.kill()
        await before.process.wait()
    await asyncio.sleep(STEP + OVERDUE)
    phones.asked.clear()
    async with servers.running(await place.start(**phones.settings())) as after:
        await _call(phones)
        return time.monotonic() - after.begun


async def _call(phones: TwilioStub) -> None:
    try:
        await asyncio.wait_for(phones.asked.wait(), 20)
    except TimeoutError:
        raise RowFailed("nobody was rung") from None
    phones.asked.clear()
