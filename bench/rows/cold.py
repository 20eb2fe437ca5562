"""From the start of the process to /readyz 200, with every provider configured; beside it Rasa's server."""

from __future__ import annotations

from statistics import median

from bench import cores, rasa_env, servers
from bench.run import Figure, Figures, Run, say
from bench.town import town


async def measure(run: Run) -> Figures:
    """The median of some starts on a database that exists; one of Rasa with a trained model."""
    folder = run.place("cold")
    starts = []
    async with town(folder) as place:
        for _ in range(2 if run.quick else 6):
            async with servers.running(await place.start()) as server:
                starts.append(await servers.ready(server, place.log))
    first, again = starts[0], starts[1:]
    say(f"  ours: {first:.2f} s with an empty database, then {', '.join(f'{one:.2f}' for one in again)} s")
    trained = await rasa_env.with_diet()
    async with servers.running(await rasa_env.start("diet", trained, folder, cores.BOTH)) as server:
        theirs = await servers.ready(server, folder / "diet.log", "/", 180)
    say(f"  Rasa: {theirs:.1f} s")
    own = median(again)
    detail = {"first": round(first, 3), "all": [round(one, 3) for one in again], "rasa": round(theirs, 2)}
    detail["ratio"] = round(own / theirs, 3)
    return {"cold": Figure(own, f"{own:.2f} s", f"{theirs:.1f} s", detail)}
