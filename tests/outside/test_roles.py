"""Several processes on one PostgreSQL: one door, one worker, one pager."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from tests.outside.product import Product
from tests.outside.test_danger import ELENI, RED


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
