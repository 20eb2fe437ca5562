"""The parts that the server and the command line share: clock, ids, vault, database, record."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from sqlalchemy import Connection, func, select

from bot.citizens import Citizens
from bot.inbox import Inbox
from config.profile import Profile
from config.settings import Settings
from store.bell import Bell
from store.clock import Clock, SystemClock
from store.database import Database, open_database
from store.figures import Figures
from store.ids import Ids
from store.measured import MeasuredDatabase
from store.schema import attempts, entries, inbox, outbox
from store.vault import Vault
from tickets.record import Record


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that does not serve, send or loop."""

    settings: Settings
    profile: Profile
    clock: Clock
    ids: Ids
    vault: Vault
    db: Database
    bell: Bell
    citizens: Citizens
    inbox: Inbox
    record: Record
    figures: Figures = field(default_factory=Figures)


async def make_parts(settings: Settings, clock: Clock | None = None, chance: Random | None = None) -> Parts:
    """Opens the database and makes the parts. `clock` and `chance` are replaced by transcripts.

    Raises ValueError without secret keys, ProfileError, StoreUnavailable."""
    if not settings.secret_keys:
        raise ValueError(
            "LIMANI_SECRET_KEYS is missing: without it nothing that a citizen says can be kept. "
            "`limani keys new` makes a key"
        )
    clock = clock or SystemClock()
    ids = Ids(clock, chance)
    vault = Vault(settings.secret_keys)
    profile = Profile.load(settings.profile)
    figures = Figures()
    opened = await open_database(settings.database_url)
    if hasattr(opened, "figures"):
        opened.figures = figures  # SQLite counts its commits: how many pieces of work share one
    db = MeasuredDatabase(opened, figures)
    ids.after(await db.read(_newest))
    citizens = Citizens(vault, ids)
    inbox = Inbox(vault, ids, citizens)
    record = Record(vault, ids)
    return Parts(settings, profile, clock, ids, vault, db, Bell(figures), citizens, inbox, record, figures)


def _newest(tx: Connection) -> int:
    """The newest id in use, so that order by id stays order of arrival across restarts."""
    ids = [tx.execute(select(func.max(table.c.id))).scalar() for table in (inbox, outbox, entries, attempts)]
    return max(row or 0 for row in ids)
