"""Whether the figures may be believed: every message answered, every word read, every row kept.

Looks into the database file beside the server, through the real tables, and talks of danger to see that it
is heard.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine, func, select

from bench import talk
from bench.load import Crowd
from bench.run import RowFailed
from bench.talk import Say
from store.schema import inbox, outbox

CRISIS_LINE = "1018"


async def reads_danger(crowd: Crowd) -> None:
    """In the middle of a form, each red text is answered with the crisis line. Raises RowFailed."""
    for citizen, words in zip(crowd.citizens(), talk.RED, strict=False):
        await crowd.listen(citizen, Say(talk.TALKS[0][0].text))  # type: ignore[union-attr]
        heard = await crowd.listen(citizen, Say(words))
        if CRISIS_LINE not in " ".join(heard):
            raise RowFailed("a red message was not read as one")


async def all_kept(crowd: Crowd, file: Path) -> dict[str, int]:
    """What was accepted and said is in the file, to the last row. Raises RowFailed."""
    await asyncio.sleep(0.5)
    found = count(f"sqlite:///{file}")
    if found["done"] != crowd.sent or found["sent"] != crowd.said:
        raise RowFailed(
            f"accepted {crowd.sent}, kept {found['done']}; handed over {crowd.said}, kept {found['sent']}"
        )
    return found


def count(url: str) -> dict[str, int]:
    """What came by Telegram and was handled, what was sent to it, and what came in all."""
    engine = create_engine(url)
    with engine.connect() as tx:
        found = {
            "done": _count(tx, inbox, "done"),
            "sent": _count(tx, outbox, "sent"),
            "stored": _count(tx, inbox, None),
        }
    engine.dispose()
    return found


def _count(tx: Connection, table: Table, state: str | None) -> int:
    query = select(func.count()).select_from(table).where(table.c.channel == "telegram")
    if state is not None:
        query = query.where(table.c.state == state)
    return int(tx.execute(query).scalar_one())
