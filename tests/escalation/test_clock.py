"""The pager on the real clock: how late its steps begin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from bot.citizens import Citizens
from bot.inbox import Inbox
from bot.twilio import TwilioClient, TwilioError
from escalation.room import Floor, open_escalation, read_duty
from sandbox.twilio import TwilioStandIn
from store.bell import Bell
from store.clock import SystemClock
from store.database import Database
from store.ids import Ids
from store.loop import Pulse, run
from store.vault import Vault
from tests.escalation.conftest import ACCOUNT, ROSTER, SENDER, TOKEN, ZONE, new_citizen
from tickets.record import Case, Record

POLICY = """
steps:
  - {who: first, by: [voice], for: 1s}
  - {who: second, by: [voice], for: 1s}
  - {who: dora, by: [voice], for: 1s}
"""


async def test_the_first_phone_rings_within_a_second_and_no_step_begins_late(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    clock = SystemClock()
    ids, bell = Ids(clock), Bell()
    (tmp_path / "roster.yaml").write_text(ROSTER)
    (tmp_path / "policy.yaml").write_text(POLICY)
    duty = read_duty(tmp_path / "roster.yaml", tmp_path / "policy.yaml", ZONE, configured=True)
    floor = Floor(
        database, bell, clock, ids, vault, Record(vault, ids), Inbox(vault, ids, Citizens(vault, ids))
    )
    citizen = await database.write(lambda tx: new_citizen(tx, vault, ids, clock))
    async with TwilioStandIn(ACCOUNT, TOKEN) as twilio:
        client = TwilioClient(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            from_number=SENDER,
            api_url=twilio.url,
            public_url="http://127.0.0.1:9",
        )
        with suppress(TwilioError):  # the SDK is loaded on its first use, as it is soon after a start
            await client.fetch_call("CA" + "0" * 32)
        pager = open_escalation(floor, duty, client, "http://127.0.0.1:9", cps=1.0).pager
        loop = asyncio.create_task(run(pager.loop(), bell, Pulse()))
        case = Case("HRK-7F3K", citizen, "psych_support", "red", None, "telegram", "el", {})
        began = twilio.record.clock()
        await database.write(lambda tx: floor.record.open(tx, case, clock.now()))
        bell.ring("pager")

        def three() -> list[float] | None:
            rung = [one.at for one in twilio.record.requests("twilio", "/Calls.json")]
            return rung if len(rung) >= 3 else None

        times = await twilio.record.until(three, within=15)
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        await pager.stop()
        await client.stop()
    assert times[0] - began < 1
    assert all(0.9 <= later - earlier <= 3 for earlier, later in pairwise(times))
