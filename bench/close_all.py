"""`python -m bench.close_all KEEP`: a supervisor closes every open ticket but the newest KEEP, as in the
console, on the database of the environment. Part of making a database that looks lived in.
"""

from __future__ import annotations

import sys

from sqlalchemy import select

from limani.commands import offline
from limani.escalate import make_escalation
from limani.parts import Parts
from store.schema import tickets

SUPERVISOR = "dora"


def main(keep: int) -> None:
    """Raises what the desk raises."""

    async def work(parts: Parts) -> None:
        desk = make_escalation(parts, None).desk
        query = select(tickets.c.ref).where(tickets.c.status != "closed").order_by(tickets.c.id)
        refs = await parts.db.read(lambda tx: list(tx.execute(query).scalars()))
        for ref in refs[: len(refs) - keep]:
            await parts.db.write(lambda tx, ref=ref: desk.take(tx, ref, SUPERVISOR, parts.clock.now()))  # type: ignore[misc]
            await parts.db.write(
                lambda tx, ref=ref: desk.close(tx, ref, SUPERVISOR, "helped", parts.clock.now())  # type: ignore[misc]
            )

    offline.run(work)


if __name__ == "__main__":
    main(int(sys.argv[1]))
