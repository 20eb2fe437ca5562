"""Resident memory of the embedded product after use, with every provider on; beside it Rasa's server."""

from __future__ import annotations

import asyncio

from bench import cores, rasa_env, servers, talk
from bench.restload import RestCrowd
from bench.rows.rasa import FIRST_QUESTION
from bench.run import Figure, Figures, Run, say
from bench.talk import Say
from bench.town import Town, town

CITIZENS = 60
SETTLE = 1.0  # seconds until what the last messages set off is done


async def measure(run: Run) -> Figures:
    """In MiB, and as a share of Rasa's."""
    folder = run.place("memory")
    async with town(folder) as place, servers.running(await place.start()) as server:
        await servers.ready(server, place.log)
        fresh = cores.resident_mib(server.pid)
        await use(place, 8 if run.quick else CITIZENS)
        own = cores.resident_mib(server.pid)
    trained = await rasa_env.with_diet()
    async with rasa_env.rasa("diet", trained, folder) as peer:
        await RestCrowd(peer, FIRST_QUESTION).closed(run.seconds(6), 8)
        theirs = sum(cores.resident_mib(pid) for pid in (peer.pid, *cores.children(peer.pid)))
    say(f"  ours {fresh:.0f} MiB when ready, {own:.0f} MiB in use; Rasa {theirs:.0f} MiB")
    detail = {"ready_mib": round(fresh, 1), "used_mib": round(own, 1), "rasa_mib": round(theirs, 1)}
    shown = f"{own:.0f} MiB", f"{theirs:.0f} MiB"
    return {
        "memory": Figure(own, f"{own:.0f} MiB", "", detail),
        "memory_rasa": Figure(own / theirs, *shown, detail),
    }


async def use(place: Town, citizens: int) -> None:
    """Every channel carries conversations, a text comes in, and somebody is rung."""
    for number in range(citizens):
        phone = place.telegram.phone(number + 1)
        for step in talk.talk_of(number):
            if isinstance(step, Say):
                await phone.says(step.text)
        if number % 4 == 0:
            viber = place.viber.phone(f"viber-{number}")
            await viber.subscribes()
            await viber.says(talk.TALKS[0][0].text)  # type: ignore[union-attr]
    await place.telegram.phone(5_000_000).says(talk.RED[0])
    await place.twilio.phone("+306900000001").rings(10)
    await asyncio.sleep(SETTLE)
