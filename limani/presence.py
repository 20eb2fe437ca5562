"""Who is there: each process leaves a beat for each of its roles in the record, and anybody can read them.

With roles in processes of their own, a door that works says nothing of a pager that has died. So every
process looks at all roles, and the heartbeat to the outside falls silent when one of them is in nobody's
hands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from store.clock import Clock, monotonic
from store.database import Database
from store.insert import put
from store.loop import Loop
from store.schema import marks

EVERY = 10.0  # seconds
GONE = timedelta(seconds=45)  # a role without a beat for longer is in nobody's hands
_PREFIX = "beat:"


@dataclass(frozen=True, slots=True)
class Presence:
    """The beats of this process."""

    db: Database
    clock: Clock
    roles: tuple[str, ...]

    def loop(self) -> Loop:
        """The loop that the harbour master runs."""
        return Loop("presence", self.beat, every=EVERY)

    async def beat(self) -> bool:
        """Leaves one. Processes of a role write the same row: one that lives is enough."""

        def work(tx: Connection) -> None:
            for role in sorted(self.roles):
                put(tx, marks, "name", name=_PREFIX + role, value="", at=self.clock.now())

        await self.db.write(work)
        return False


def beats(tx: Connection, roles: Iterable[str]) -> dict[str, datetime]:
    """The newest beat of each of these roles; none for a role that never had one."""
    names = {_PREFIX + role: role for role in roles}
    rows = tx.execute(select(marks.c.name, marks.c.at).where(marks.c.name.in_(list(names)))).all()
    return {names[row.name]: row.at for row in rows}


class Lonely:
    """Which roles nobody has. Silent for the first moments of a process: the others may be starting too."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        self._roles = roles
        self._since = monotonic()

    def among(self, found: dict[str, datetime], now: datetime) -> list[str]:
        """The roles without a beat since GONE."""
        if monotonic() - self._since < GONE.total_seconds():
            return []
        return [role for role in self._roles if role not in found or now - found[role] > GONE]
