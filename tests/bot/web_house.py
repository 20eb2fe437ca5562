"""A web chat with everything real behind it except the turn: tests put the bot's words into the outbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.web.channel import WebChannel
from bot.channels.web.history import History
from bot.citizens import Citizens
from bot.door import Door
from bot.inbox import Inbox, StimulusState, Taken
from bot.message import Message
from bot.outbox import Outbox
from bot.spool import Spool
from store.bell import Bell
from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.vault import Vault
from tickets.record import Record


@dataclass
class House:
    """What a test may touch."""

    db: Database
    bell: Bell
    clock: ManualClock
    citizens: Citizens
    inbox: Inbox
    outbox: Outbox
    channel: WebChannel
    history: History
    client: TestClient[web.Request, web.Application]

    async def post(self, path: str, data: Any, **headers: str) -> ClientResponse:
        return await self.client.post(path, json=data, headers=headers)

    async def taken(self) -> list[Taken]:
        """Every stimulus that waits for its turn; their turns are over then."""
        stimuli = []
        while found := await self.db.write(lambda tx: self.inbox.claim(tx, "test", self.clock.now())):
            for one in found:
                await self.db.write(
                    lambda tx, one=one: self.inbox.finish(tx, one, StimulusState.done, self.clock.now())  # type: ignore[misc]
                )
            stimuli += found
        return stimuli

    async def says(self, citizen: int, message: Message) -> int:
        """The bot's words, as a turn writes them."""
        rows = await self.db.write(lambda tx: self.outbox.put(tx, citizen, message, self.clock.now()))
        self.bell.ring("outbox", f"web:{citizen}")
        return rows[-1]


@asynccontextmanager
async def open_house(
    db: Database, vault: Vault, ids: Ids, clock: ManualClock, folder: Path, **given: Any
) -> AsyncIterator[House]:
    """The channel on a real server; `given` goes to its constructor."""
    bell, citizens = Bell(), Citizens(vault, ids)
    inbox = Inbox(vault, ids, citizens)
    outbox = Outbox(vault, ids, citizens, {"web": WebChannel.limits})
    door = Door(db, bell, clock, inbox, outbox, citizens, Spool(folder / "spool", vault), Record(vault, ids))
    public_url = given.pop("public_url", "http://127.0.0.1")
    channel = WebChannel(db, vault, bell, clock, ids, citizens, outbox, door, public_url, **given)
    app = web.Application()
    app.add_routes(channel.routes())
    async with TestClient(TestServer(app)) as client:
        yield House(
            db, bell, clock, citizens, inbox, outbox, channel, History(vault, citizens, outbox), client
        )
        await channel.stop()


class Browser:
    """The stream as a browser reads it: events in order, and the place to go on from."""

    def __init__(self, house: House, place: str = "") -> None:
        self._house = house
        self.place = place
        self.seen: list[str] = []

    async def until(self, name: str, fits: Callable[[Any], bool] = lambda data: True) -> Any:
        """The data of the first event with this name that fits, on a connection of its own."""
        headers = {"Last-Event-ID": self.place} if self.place else {}
        async with asyncio.timeout(5), self._house.client.get("/chat/events", headers=headers) as response:
            event = ""
            async for raw in response.content:
                field, _, value = raw.decode().rstrip("\n").partition(": ")
                if field == "id":
                    self.place = value
                elif field == "event":
                    event = value
                elif field == "data":
                    self.seen.append(event)
                    if event == name and fits(json.loads(value)):
                        return json.loads(value)
        raise AssertionError(f"the stream ended without {name}")
