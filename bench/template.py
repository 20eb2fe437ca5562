"""The seed of a large database: a hundred citizens who really talked with the product.

Four of ten asked for food and were helped, the others said a word and left, one was in danger and was helped
as well. Every row is the product's own, so whatever its schema becomes, the copies have it too.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bench import servers, talk
from bench.load import Crowd
from bench.run import RowFailed
from bench.talk import Say
from bench.twilio_stub import twilio

BLOCK = (
    104  # citizens; a multiple of the number of talks, so that each goes on in the language that he began in
)
HELPED = 36
OPEN = 2  # tickets of each block that nobody has closed yet
RED = BLOCK - 1
FIRST = 8_000_000  # chat id of the first citizen


async def make(folder: Path) -> Path:
    """The database file of the seed, at rest."""
    async with twilio() as phones, servers.house(folder, phones.settings()) as house:
        crowd = Crowd(house, FIRST)
        people = [FIRST + number for number in range(BLOCK)]
        await crowd.connect(BLOCK)
        await asyncio.gather(*(crowd.listen(one, _farewell(one)) for one in people[HELPED:RED]))
        await asyncio.gather(*(crowd.listen(one, Say(talk.RED[0])) for one in people[RED:]))
        await asyncio.gather(*(_talks(crowd, one) for one in people[:HELPED]))
        await _close(folder, servers.settings(folder, house.port))
        await asyncio.sleep(2)  # the citizens are told
    return folder / "limani.db"


def _farewell(citizen: int) -> Say:
    english = talk.talk_of(citizen)[0] in (talk.TALKS[2][0], talk.TALKS[7][0])
    return Say("thank you" if english else "ευχαριστώ")


async def _talks(crowd: Crowd, citizen: int) -> None:
    for step in talk.talk_of(citizen):
        await crowd.listen(citizen, step)


async def _close(folder: Path, environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.close_all", str(OPEN)),
        env={**environment, "PYTHONPATH": str(servers.ROOT)},
        cwd=folder,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    if process.returncode:
        raise RowFailed(f"the tickets of the seed could not be closed: {err.decode()[-300:]}")
