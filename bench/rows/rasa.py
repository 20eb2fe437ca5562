"""The same full turns against Rasa: its REST channel, rules and a form, in memory, on the same one core."""

from __future__ import annotations

from statistics import median

from bench import rasa_env, servers
from bench.load import Crowd, Result
from bench.restload import RestCrowd
from bench.run import Figure, Figures, RowFailed, Run, as_detail, say, shown

SECONDS = 6.0
FIRST_QUESTION = "Έχετε φαγητό στο σπίτι για σήμερα και αύριο;"


async def measure(run: Run) -> Figures:
    """The rate of ours as a multiple of Rasa's with DIET; with mere keywords in the detail."""
    folder = run.place("rasa")
    diet, keywords = await rasa_env.with_diet(), await rasa_env.with_keywords()
    async with (
        rasa_env.rasa("diet", diet, folder) as wise,
        rasa_env.rasa("keywords", keywords, folder) as plain,
        servers.house(folder / "ours") as ours,
    ):
        mine = Crowd(ours, 10_000_000)
        await mine.learn()
        rests = {
            name: RestCrowd(server, FIRST_QUESTION) for name, server in (("diet", wise), ("keywords", plain))
        }
        results: dict[str, list[Result]] = {"ours": [], "diet": [], "keywords": []}
        for number in range(run.rounds()):
            results["ours"].append(await mine.closed(run.seconds(SECONDS), 64))
            for name, crowd in rests.items():
                results[name].append(await crowd.closed(run.seconds(SECONDS), 8))
            for name, each in results.items():
                say(f"  round {number + 1} {name}: {shown(each[-1])}")
        if mine.stray:
            raise RowFailed(f"{mine.stray} messages answered nothing")
    own, peer, least = (median(one.rate for one in results[name]) for name in ("ours", "diet", "keywords"))
    detail: dict[str, object] = {name: as_detail(each[-1]) for name, each in results.items()}
    detail["ratio_to_keywords"] = round(own / least, 1)
    return {"turn_rasa": Figure(own / peer, f"{own:.0f} turns/s", f"{peer:.1f} turns/s", detail)}
