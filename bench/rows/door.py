"""The door alone: a webhook is verified, stored durably and answered; beside it, aiohttp echoing JSON."""

from __future__ import annotations

import asyncio
import itertools
import time
from statistics import median

from bench import servers, talk, truth, updates
from bench.httpclient import Connection
from bench.run import Figure, Figures, RowFailed, Run, say
from bench.servers import Server
from bench.talk import Say

SECONDS = 5.0
AT_ONCE = 64
CITIZENS = 1000
_TEXTS = [step.text for each in talk.TALKS for step in each if isinstance(step, Say)]


async def measure(run: Run) -> Figures:
    """The rate of our door as a share of the echo's; and what the generator could do at most."""
    folder = run.place("door")
    async with (
        servers.house(folder / "ours", role="web") as ours,
        servers.peer("echo", folder=folder, wired=False) as echo,
        servers.peer("echo", "--raw", folder=folder, wired=False) as raw,
    ):
        rates: dict[str, list[float]] = {"ours": [], "echo": [], "raw": []}
        cpu: dict[str, list[float]] = {"ours": [], "echo": [], "raw": []}
        accepted = 0
        for number in range(run.rounds()):
            for name, server in (("ours", ours), ("echo", echo), ("raw", raw)):
                count, seconds, used = await knock(server, run.seconds(SECONDS))
                accepted += count if name == "ours" else 0
                rates[name].append(count / seconds)
                cpu[name].append(used / count * 1e6)
                say(f"  round {number + 1} {name}: {count / seconds:.0f}/s, {cpu[name][-1]:.0f} us CPU each")
        stored = truth.count(f"sqlite:///{folder / 'ours' / 'limani.db'}")["stored"]
    if stored != accepted:
        raise RowFailed(f"the door accepted {accepted} and stored {stored}")
    own, peer, limit = (median(rates[name]) for name in ("ours", "echo", "raw"))
    detail = {
        name: {"rate": round(median(rates[name])), "cpu_us": round(median(cpu[name]), 1)} for name in rates
    }
    return {
        "door": Figure(
            own / peer,
            f"{own:.0f}/s",
            f"{peer:.0f}/s",
            {**detail, "stored": stored, "generator": round(limit)},
        )
    }


async def knock(server: Server, seconds: float) -> tuple[int, float, float]:
    """AT_ONCE connections as fast as they are answered: requests, seconds, processor seconds."""
    connections = [await Connection.open(server.port) for _ in range(AT_ONCE)]
    numbers = itertools.count()
    begun, cpu = time.monotonic(), server.cpu()
    end = begun + seconds

    async def caller(connection: Connection) -> int:
        done = 0
        while time.monotonic() < end:
            number = next(numbers)
            body = updates.said(30_000_000 + number % CITIZENS, _TEXTS[number % len(_TEXTS)])
            status, _ = await connection.post(updates.HEAD, body)
            if status != 200:
                raise RowFailed(f"{server.name} answered {status}")
            done += 1
        return done

    done = sum(await asyncio.gather(*(caller(connection) for connection in connections)))
    result = done, time.monotonic() - begun, server.cpu() - cpu
    for connection in connections:
        connection.close()
    return result
