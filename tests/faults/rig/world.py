"""The providers as a process of their own, with their journal: what they saw is true whatever dies here."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.faults.rig import town
from tests.faults.rig.home import ROOT


class World:
    """`async with World(folder, product_url) as world: world.urls["telegram"]`."""

    def __init__(self, folder: Path, product_url: str, flood: bool = True) -> None:
        self.journal = folder / "journal.jsonl"
        self.urls: dict[str, str] = {}
        self._product, self._flood = product_url, flood
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        words = {
            "telegram-token": town.TELEGRAM_TOKEN,
            "telegram-secret": town.TELEGRAM_SECRET,
            "telegram-webhook": f"{self._product}/webhooks/telegram",
            "viber-token": town.VIBER_TOKEN,
            "viber-webhook": f"{self._product}/webhooks/viber",
            "twilio-account-sid": town.ACCOUNT,
            "twilio-auth-token": town.TWILIO_TOKEN,
            "journal": str(self.journal),
        }
        flags = ["--anybody", *(["--flood"] if self._flood else [])]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sandbox", *flags),
            *(part for name, value in words.items() for part in (f"--{name}", value)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.urls = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 30))
        self._http = aiohttp.ClientSession()
        for number in town.PHONES.values():
            await self.act("twilio", "behaviour", phone=number, behaviour="acknowledges")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        assert self._process is not None
        await self._http.close()
        self._process.terminate()
        await self._process.wait()

    async def act(self, provider: str, act: str, **wish: Any) -> Any:
        """What a phone does, or a fault on order (sandbox/README.md)."""
        assert self._http is not None
        async with self._http.post(f"{self.urls['control']}/control/{provider}/{act}", json=wish) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()
