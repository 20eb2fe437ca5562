"""The whole room on one screen: what it needs, what it offers, and how its parts hang together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.inbox import Inbox
from bot.twilio import TwilioClient
from escalation.acknowledge import Acknowledgements
from escalation.attempts import Attempts
from escalation.calls import Calls
from escalation.carrier import Carrier, TwilioCarrier
from escalation.desk import Desk
from escalation.duty import Duty
from escalation.gsm7 import Alphabet
from escalation.line import Line
from escalation.link_pages import LinkPages
from escalation.links import Links
from escalation.pager import Pager
from escalation.policy_file import read_policy
from escalation.progress import Progress
from escalation.roster_file import read_roster
from escalation.voice import Voices
from escalation.watch import next_due, unattended
from store.bell import Bell
from store.clock import Clock
from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tickets.record import Record


@dataclass(frozen=True, slots=True)
class Floor:
    """What the house gives to this room."""

    db: Database
    bell: Bell
    clock: Clock
    ids: Ids
    vault: Vault
    record: Record
    inbox: Inbox


@dataclass(frozen=True, slots=True)
class Escalation:
    """What this room offers to the house. `duty.on_call_now` is for the turn, `pager.loop()` is to be run."""

    duty: Duty
    acknowledgements: Acknowledgements
    pager: Pager
    desk: Desk
    routes: list[web.RouteDef]
    db: Database

    async def next_due(self) -> datetime | None:
        """When paging will next have something to do by itself."""
        return await self.db.read(next_due)

    async def unattended(self, now: datetime) -> list[int]:
        """Red tickets that nobody has and nobody is being found for; empty when all is well."""
        return await self.db.read(lambda tx: unattended(tx, now))


def read_duty(roster: Path, policy: Path, zone: ZoneInfo, *, configured: bool) -> Duty:
    """Roster and policy of two files. Raises FormError with every mistake of the first wrong one."""
    people = read_roster(roster, zone)
    return Duty(people, read_policy(policy, people), configured)


def open_escalation(
    floor: Floor,
    duty: Duty,
    twilio: TwilioClient | None,
    public_url: str,
    *,
    cps: float = 1.0,
    alphabet: Alphabet = Alphabet.capitals,
    voices: Voices | None = None,
    refused: Callable[[str], object] = lambda channel: None,
    measured: Callable[[Carrier], Carrier] = lambda carrier: carrier,
) -> Escalation:
    """Puts the room together. Without `twilio` pages wait in the console, and the alarm sounds at once.
    `refused` counts requests that Twilio did not sign; `measured` wraps what reaches phones."""
    known = Attempts(floor.ids, floor.ids.token(12), cps)
    acknowledged = Acknowledgements(floor.record, floor.inbox, known, duty)
    progress = Progress(floor.record, floor.inbox, known, acknowledged, duty)
    links = Links(floor.vault, public_url)
    carrier = measured(TwilioCarrier(twilio, links, duty, public_url, alphabet)) if twilio else None
    pager = Pager(floor.db, floor.bell, floor.clock, progress, known, duty, carrier)
    pages = LinkPages(floor.db, floor.bell, floor.clock, links, acknowledged, duty)
    routes = pages.routes()
    if twilio is not None:
        calls = Calls(
            floor.db,
            floor.bell,
            floor.clock,
            known,
            acknowledged,
            duty,
            twilio,
            public_url,
            voices or Voices(),
            refused,
        )
        routes += calls.routes()
        routes += Line(twilio, voices or Voices(), refused).routes()
    desk = Desk(floor.record, floor.inbox, floor.ids, acknowledged, duty)
    return Escalation(duty, acknowledged, pager, desk, routes, floor.db)
