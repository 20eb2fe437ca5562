"""Full turns: webhook to reply handed to the transport, ours durable on SQLite, PTB's in memory."""

from __future__ import annotations

from bench import servers, truth
from bench.load import Crowd
from bench.run import Figure, Figures, Run, as_detail, rounds

SECONDS = 8.0


async def measure(run: Run) -> Figures:
    """The rate of ours as a share of PTB's."""
    folder = run.place("turn")
    async with servers.house(folder / "ours") as ours, servers.peer("ptb", folder=folder) as ptb:
        mine, theirs = Crowd(ours, 10_000_000), Crowd(ptb, 20_000_000)
        await mine.learn()
        await theirs.learn()
        results = await rounds(run, {"ours": mine, "ptb": theirs}, SECONDS)
        await truth.reads_danger(mine)
        kept = await truth.all_kept(mine, folder / "ours" / "limani.db")
    own, peer = results["ours"], results["ptb"]
    detail = {"ours": as_detail(own), "ptb": as_detail(peer), "kept": kept, "citizens": mine.citizens_seen}
    detail["cpu_ratio"] = round(peer.cpu_us / own.cpu_us, 3)
    return {
        "turn_ptb": Figure(
            own.rate / peer.rate, f"{own.rate:.0f} turns/s", f"{peer.rate:.0f} turns/s", detail
        )
    }
