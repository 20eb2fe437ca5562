"""The escalation room on a real database, between a real web server and Twilio's stand-in.

Time stands still until a test moves it: `await room.after(60)` moves the clock and lets the pager look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from sqlalchemy import select

from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.incoming import Incoming
from bot.twilio import TwilioClient
from escalation.room import Escalation, Floor, open_escalation, read_duty
from flows.session import StimulusKind
from limani.web import make_web_app
from sandbox.server import Server
from sandbox.twilio import TwilioStandIn
from sandbox.twilio_phone import TwilioPhone
from store.bell import Bell
from store.clock import Clock, ManualClock
from store.database import Database
from store.ids import Ids
from store.schema import attempts, inbox, pages
from store.vault import Vault
from tickets.record import Case, Record
from tickets.view import show_ticket

ZONE = ZoneInfo("Europe/Athens")
ROSTER = """
people:
  eleni: {name: Eleni, phone: "+306900000001", languages: [el, en]}
  nikos: {name: Nikos, phone: "+306900000002", languages: [en]}
  dora: {name: Dora, phone: "+306900000009", role: supervisor}
shifts:
  - {days: "mon-sun", from: "00:00", to: "24:00", order: [eleni, nikos]}
"""
POLICY = """
steps:
  - {who: first, by: [voice, sms], for: 60s}
  - {who: second, by: [voice, sms], for: 60s}
  - {who: supervisor, by: [voice, sms], for: 120s}
repeat: 3
contact_within: 5m
"""
PHONES = {"eleni": "+306900000001", "nikos": "+306900000002", "dora": "+306900000009"}
ACCOUNT, TOKEN, SENDER = "AC" + "1" * 32, "a-token-of-the-stand-in", "+306900000100"


@dataclass
class Room:
    """What a test holds in its hand."""

    escalation: Escalation
    floor: Floor
    clock: ManualClock
    twilio: TwilioStandIn
    url: str
    citizen: int

    def phone(self, person: str) -> TwilioPhone:
        return self.twilio.phone(PHONES[person])

    async def settle(self) -> None:
        """Lets the pager look, speak and write, and look again at what came of it."""
        for _ in range(2):
            await self.escalation.pager.tick()
            await self.escalation.pager.idle()

    async def after(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        await self.settle()

    async def red(self, ref: str = "HRK-7F3K", risk: str = "red") -> int:
        """A case with the page that the turn writes."""
        ticket = await self.case(ref, risk)
        await self.do(lambda tx: self.floor.record.need_page(tx, ticket, self.clock.now()))
        return ticket

    async def case(self, ref: str, risk: str) -> int:
        case = Case(ref, self.citizen, "psych_support", risk, None, "telegram", "el", {})
        return int(await self.do(lambda tx: self.floor.record.open(tx, case, self.clock.now())))

    async def do(self, work: Callable[[Any], Any]) -> Any:
        return await self.floor.db.write(work)

    async def rows(self, table: Any) -> list[Any]:
        return list(await self.floor.db.read(lambda tx: tx.execute(select(table).order_by(table.c.id)).all()))

    async def page(self) -> Any:
        return (await self.rows(pages))[-1]

    async def ticket(self, ref: str = "HRK-7F3K") -> dict[str, Any]:
        found = await self.floor.db.read(lambda tx: show_ticket(tx, self.floor.record, ref))
        assert found is not None
        return found

    async def story(self, ref: str = "HRK-7F3K") -> list[tuple[str, str, str]]:
        """(to, by, outcome) of every attempt."""
        return [(one["to"], one["by"], one["outcome"]) for one in (await self.ticket(ref))["pages"]]

    async def stimuli(self) -> list[str]:
        """What conversations were told by us, in order."""
        return [row.kind for row in await self.rows(inbox) if row.channel == "inner"]

    async def attempt(self, person: str, means: str) -> Any:
        found = [row for row in await self.rows(attempts) if (row.person, row.means) == (person, means)]
        return found[-1]

    def calls_to(self, person: str) -> int:
        posts = self.twilio.record.requests("twilio", "/Calls.json", To=PHONES[person])
        return len([one for one in posts if one.method == "POST"])


Opens = Callable[..., Any]


@pytest.fixture
async def open_room(
    database: Database, clock: ManualClock, vault: Vault, ids: Ids, tmp_path: Path
) -> AsyncIterator[Opens]:
    """Opens the room with a roster and a policy of the test's own."""
    closing: list[Callable[[], Any]] = []

    async def opened(
        roster: str = ROSTER, policy: str = POLICY, *, twilio: bool = True, cps: float = 100.0
    ) -> Room:
        (tmp_path / "roster.yaml").write_text(roster)
        (tmp_path / "policy.yaml").write_text(policy)
        duty = read_duty(tmp_path / "roster.yaml", tmp_path / "policy.yaml", ZONE, configured=twilio)
        stand_in = await TwilioStandIn(ACCOUNT, TOKEN).start()
        closing.append(stand_in.stop)
        floor = _floor(database, clock, vault, ids)
        # Links and callbacks carry the address, so it has to be known before the room is put together.
        probe = await Server(web.Application()).start()
        await probe.stop()
        client = TwilioClient(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            from_number=SENDER,
            api_url=stand_in.url,
            public_url=probe.url,
        )
        room = open_escalation(floor, duty, client if twilio else None, probe.url, cps=cps)
        server = Server(make_web_app(room.routes), probe.port)
        await server.start()
        closing.extend((server.stop, client.stop, room.pager.stop))
        citizen = await database.write(lambda tx: new_citizen(tx, vault, ids, clock))
        return Room(room, floor, clock, stand_in, probe.url, citizen)

    yield opened
    for close in reversed(closing):
        await close()


@pytest.fixture
async def room(open_room: Opens) -> Room:
    """The usual room."""
    found: Room = await open_room()
    return found


def _floor(database: Database, clock: ManualClock, vault: Vault, ids: Ids) -> Floor:
    stimuli = Inbox(vault, ids, Citizens(vault, ids))
    return Floor(database, Bell(), clock, ids, vault, Record(vault, ids), stimuli)


def new_citizen(tx: Any, vault: Vault, ids: Ids, clock: Clock) -> int:
    """Somebody who wrote."""
    hello = Incoming("telegram", "update:1", "1001", StimulusKind.said, text="hello")
    return Citizens(vault, ids).of(tx, hello, clock.now())
