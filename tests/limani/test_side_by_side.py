"""Processes beside each other: what one does another shows at once, and an old one serves on while a new one
migrates. They run as processes of their own, some with a wait made so long that only the bell can be why."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from console import watch
from store.bell import Bell
from store.clock import SystemClock
from store.database import open_database
from store.figures import Figures
from store.ids import Ids
from store.migrate import HEAD
from tests.outside.product import Product
from tests.outside.test_danger import ELENI, RED

# Nobody looks by himself for a minute: what is shown sooner was rung for.
_ONLY_BELL = """
import bot.channels.web.stream as stream
stream.POLL = 60
from limani.cli import main
main()
"""
# A program of the first release, as far as the database can tell.
_OLD = """
import store.migrate
store.migrate.HEAD = "0001"
from limani.cli import main
main()
"""


async def _said(stream: aiohttp.ClientResponse) -> str:
    """The next words of the bot in the chat's stream."""
    while True:
        line = (await stream.content.readline()).decode()
        assert line, "the stream ended"
        if line.startswith("data: "):
            item = json.loads(line.removeprefix("data: "))
            if item.get("by") == "bot" and item.get("text"):
                return str(item["text"])


async def test_what_one_process_does_the_others_show_at_once(
    tmp_path: Path, postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker answers; the chat of a door, and a console here, hear of it through Redis alone."""
    for name in ("web", "worker"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(watch, "EVERY", 60)
    door = Product(tmp_path / "web", postgres_url, roles="web", program=("-c", _ONLY_BELL), patience=60)
    door.extra["LIMANI_REDIS_URL"] = redis_url
    async with door, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        worker = door.beside(tmp_path / "worker", "worker")
        worker.patience = 60
        await worker.start()
        db, figures = await open_database(postgres_url), Figures()
        bell = Bell(figures)
        relay = asyncio.create_task(bell.relay(redis_url))
        clock = SystemClock()
        console = watch.Watch(db, bell, clock, Ids(clock))
        async with http.get(f"{door.url}/chat/") as page:
            assert page.status == 200
        async with asyncio.timeout(60), http.get(f"{door.url}/chat/events") as stream:
            while figures.levels.get(("redis_up",)) != 1:
                await asyncio.sleep(0.01)
            with console.listen() as news:
                await console.begun()
                say = {"id": "m1", "text": RED}
                async with http.post(f"{door.url}/chat/messages", json=say) as kept:
                    assert kept.status == 200
                begun = time.monotonic()
                assert await _said(stream)
                await news.wait()
                assert time.monotonic() - begun < 30
            assert any(change.red for change in console.since(f"{console.era}-0") or [])
        relay.cancel()
        await asyncio.wait([relay])
        await db.close()
        await worker.stop()


@pytest.mark.timeout(240)
async def test_a_newer_program_migrates_while_an_older_one_serves(tmp_path: Path, postgres_url: str) -> None:
    """Pages ring, messages wait in every state; nothing is lost, and nobody is turned away."""
    url = postgres_url
    await _unmigrate(url)
    async with Product(tmp_path, url, program=("-c", _OLD), patience=60) as old:
        red = old.telegram.phone(1)
        await red.says(RED)
        call = await old.twilio.phone(ELENI).rings(within=20)
        phones = [old.telegram.phone(number) for number in range(100, 110)]
        flood = [asyncio.create_task(phone.says("καλημέρα", wait=False)) for phone in phones]
        code, out, err = await old.cli("migrate")
        assert (code, out.strip()) == (0, f"the database is at schema {HEAD}"), err
        await asyncio.gather(*flood)
        for phone in phones:
            await phone.expects("Limani", within=30)
        await call.pick_up()
        await call.presses_announced_key()
        await call.presses_announced_key()
        await red.expects("Απάντησε άνθρωπος", within=20)
        await old.kill()
        await old.start()  # an older program may start anew on the newer schema
        await old.telegram.phone(200).says("καλημέρα", wait=False)
        await old.telegram.phone(200).expects("Limani", within=20)


async def _unmigrate(url: str) -> None:
    """An empty database as it was before anybody migrated it."""
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
