"""Several processes on one PostgreSQL: one door, one worker, one pager."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.outside.fleet import fleet
from tests.outside.product import Product, policy
from tests.outside.test_danger import ELENI, NIKOS, RED


async def test_door_worker_and_pager_may_be_processes_of_their_own(tmp_path: Path, postgres_url: str) -> None:
    folders = [tmp_path / role for role in ("web", "worker", "pager")]
    for folder in folders:
        folder.mkdir()
    async with Product(folders[0], postgres_url, roles="web") as door:
        worker = door.beside(folders[1], "worker")
        pager = door.beside(folders[2], "pager")
        for process in (worker, pager):
            await process.start()
        try:
            phone = door.telegram.phone(900)
            await phone.says(RED)
            call = await door.twilio.phone(ELENI).rings()
            await phone.expects("1018")
            await call.pick_up()
            await call.presses_announced_key()
            await call.presses_announced_key()
            await phone.expects("Απάντησε άνθρωπος")
        finally:
            await worker.stop()
            await pager.stop()


async def test_a_second_server_on_one_sqlite_file_is_refused(product: Product) -> None:
    second = product.beside(product.folder, "all")
    code, _, err = await second.cli("serve")
    assert code == 2
    assert "another limani serves" in err
    async with aiohttp.ClientSession() as http, http.get(f"{product.url}/readyz") as answer:
        assert answer.status == 200


@pytest.mark.timeout(240)
async def test_one_of_each_is_killed_and_everything_is_still_right(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Two doors, two workers, two pagers and Redis; kill -9 in the middle of a flood and of a page."""
    async with fleet(tmp_path, postgres_url, redis_url, policy=policy(seconds=4)) as town:
        await town.add(tmp_path, "web1", "worker0", "worker1", "pager0", "pager1")
        await _only_monitors(town.processes["worker0"])
        telegram, twilio = town.first.telegram, town.first.twilio
        begun = time.monotonic()
        red = telegram.phone(1)
        await red.says(RED)
        await twilio.phone(ELENI).rings()
        phones = [telegram.phone(number) for number in range(100, 130)]
        flood = [asyncio.create_task(phone.says("καλημέρα", wait=False)) for phone in phones]
        for name in ("pager0", "worker0", "web1"):
            await asyncio.sleep(0.05)
            await town.processes[name].kill()
        await asyncio.gather(*flood)
        call = await twilio.phone(NIKOS).rings(within=10)
        assert time.monotonic() - begun < 4 + 5
        await call.pick_up()
        await call.presses_announced_key()
        await call.presses_announced_key()
        await red.expects("Απάντησε άνθρωπος", within=40)
        for phone in phones:  # what the dead worker had under way waits for its lease, and is said again
            answer = (await phone.expects("Limani", within=40)).text
            assert (
                1 <= len([shown for shown in phone.screen if shown.by == "bot" and shown.text == answer]) <= 2
            )
        assert "καλημέρα" not in town.logs()


async def _only_monitors(worker: Product) -> None:
    """A process that only works inside has no door for the world."""
    async with aiohttp.ClientSession() as http:
        for path, status in (("/readyz", 200), ("/metrics", 200), ("/chat/", 404), ("/console/", 404)):
            async with http.get(worker.url + path) as answer:
                assert answer.status == status
        async with http.post(f"{worker.url}/webhooks/telegram", data=b"{}") as answer:
            assert answer.status == 404
