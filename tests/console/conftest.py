"""A console on a real SQLite file, with a real desk behind it and browsers that keep cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from bot.citizens import Citizens
from bot.inbox import Inbox
from config.settings import DEFAULT_PROFILE
from console.app import Console
from escalation.acknowledge import Acknowledgements
from escalation.attempts import Attempts
from escalation.desk import Desk
from escalation.duty import Duty
from escalation.people import Accounts, add, hash_password
from escalation.policy_file import read_policy
from store.bell import Bell
from store.clock import ManualClock
from store.database import Database, open_database
from store.ids import Ids
from store.vault import Vault
from tests.console.town import ROSTER, Town
from tickets.record import Record

ENGLISH = {"Accept-Language": "en"}
PASSWORD = "karavi-sto-limani-7"
_FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
Browser = TestClient[web.Request, web.Application]


@dataclass(slots=True)
class House:
    """Everything behind the console, for tests that look behind it."""

    db: Database
    clock: ManualClock
    bell: Bell
    ids: Ids
    vault: Vault
    record: Record
    town: Town
    desk: Desk
    accounts: Accounts
    duty: Duty

    def console(self, **options: Any) -> Console:
        """A console on this house."""
        given: dict[str, Any] = {"public_url": "http://127.0.0.1:8080", **options}
        return Console(
            db=self.db,
            record=self.record,
            desk=self.desk,
            accounts=self.accounts,
            roster=ROSTER,
            bell=self.bell,
            clock=self.clock,
            ids=self.ids,
            vault=self.vault,
            **given,
        )

    async def do(self, work: Callable[[Connection], Any]) -> Any:
        """Changes the record, as another room or process would."""
        return await self.db.write(work)

    @asynccontextmanager
    async def browser(self, **options: Any) -> AsyncIterator[Browser]:
        """A browser with an empty cookie jar at a console of this house."""
        console = self.console(**options)
        app = web.Application()
        app.add_routes(console.routes())
        app.on_shutdown.append(console.close)
        async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True), headers=ENGLISH) as client:
            yield client


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock, vault: Vault, ids: Ids) -> AsyncIterator[House]:
    """An empty record with three accounts: eleni and nikos respond, dora supervises."""
    db = await open_database(f"sqlite:///{tmp_path / 'limani.db'}")
    record = Record(vault, ids)
    inbox = Inbox(vault, ids, Citizens(vault, ids))
    duty = Duty(ROSTER, read_policy(DEFAULT_PROFILE / "policy.yaml", ROSTER), configured=True)
    attempts = Attempts(ids, "test", 10.0)
    desk = Desk(record, inbox, ids, Acknowledgements(record, inbox, attempts, duty), duty)
    hashed, now = await hash_password(PASSWORD), clock.now()
    for name, role in (("eleni", "responder"), ("nikos", "responder"), ("dora", "supervisor")):
        await db.write(lambda tx, name=name, role=role: add(tx, name, role, hashed, now, "en"))  # type: ignore[misc]
    yield House(db, clock, Bell(), ids, vault, record, Town(vault, ids, record), desk, Accounts(db), duty)
    await db.close()


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    """A browser that has not signed in."""
    async with house.browser() as client:
        yield client


async def form_token(client: Browser, path: str) -> str:
    """The form token that a page of this browser carries."""
    answer = await client.get(path)
    found = _FORM_TOKEN.search(await answer.text())
    assert found is not None, "the page has no form"
    return found[1]


async def sign_in(client: Browser, name: str, password: str = PASSWORD) -> ClientResponse:
    """Fills in the sign-in form; the answer is not followed."""
    token = await form_token(client, "/console/login")
    fields = {"csrf": token, "name": name, "password": password}
    return await client.post("/console/login", data=fields, allow_redirects=False)


async def act(client: Browser, ref: str, deed: str, **fields: str) -> ClientResponse:
    """Sends one form of a case page; the answer is not followed."""
    token = await form_token(client, f"/console/tickets/{ref}")
    path = f"/console/tickets/{ref}/{deed}"
    return await client.post(path, data={"csrf": token, **fields}, allow_redirects=False)


async def see(client: Browser, path: str, status: int = 200) -> str:
    """A page's text, after checking its status."""
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    return await answer.text()
