"""The product's processes in one place: which roles, which ports, who lives, who is to be started again."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.rig.home import Child, Home
from tests.faults.rig.ledger import Ledger, Life
from tests.faults.rig.town import free_port, settings


@dataclass(eq=False, slots=True)
class Place:
    """One process of the product, now or after its next start."""

    roles: str
    folder: Path
    port: int
    environment: dict[str, str]
    child: Child | None = None
    life: Life | None = None
    rig: dict[str, Any] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What all its lives have printed."""
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


class Site:
    """Starts, kills and restarts places; writes their lives into the ledger."""

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        folder: Path,
        database_url: str,
        port: int,
        urls: dict[str, str],
        rules: dict[str, Any],
        roles: tuple[str, ...] = ("all",),
        rig: dict[str, Any] | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        self._home, self.ledger = home, ledger
        self.killed_commands = 0
        self.places: list[Place] = []
        for number, role in enumerate(roles):
            place, own_port = folder / f"{role}-{number}", port if number == 0 else free_port()
            place.mkdir(parents=True, exist_ok=True)
            public = {"public_url": f"http://127.0.0.1:{port}", **(more or {})}
            environment = settings(place, database_url, own_port, urls, rules, **public)
            self.places.append(Place(role, place, own_port, environment, rig=dict(rig or {})))

    @property
    def files(self) -> list[Path]:
        """Everything that the places have written, for the search for words."""
        return [file for place in self.places for file in place.folder.rglob("*") if file.is_file()]

    async def start_all(self) -> None:
        """All places, side by side."""
        await asyncio.gather(*(self.start(place) for place in self.places))

    async def start(self, place: Place, ready: bool = True) -> None:
        """Forks it; with `ready` returns when it serves."""
        place.child = await self._home.start(
            ["serve", "--role", place.roles], place.environment, place.log, place.rig
        )
        place.life = self.ledger.begins(place.roles)
        if ready:
            await self.ready(place)

    async def ready(self, place: Place, within: float = 30) -> None:
        """Returns when /readyz says so; AssertionError when it has died."""
        async with asyncio.timeout(within), aiohttp.ClientSession() as http:
            while True:
                assert place.child is not None
                assert place.child.alive, f"{place.roles} ended: {place.log.read_text()[-2000:]}"
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(f"{place.url}/readyz", timeout=aiohttp.ClientTimeout(2)) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    async def kill(self, place: Place) -> None:
        """kill -9."""
        assert place.child is not None
        assert place.life is not None
        assert place.child.alive, f"{place.roles} ended by itself: {place.log.read_text()[-2000:]}"
        await place.child.kill()
        self.ledger.ends(place.life, "kill")

    async def stop(self, place: Place) -> int:
        """SIGTERM; the exit code."""
        assert place.child is not None
        assert place.life is not None
        code = await place.child.stop()
        self.ledger.ends(place.life, "stop")
        return code

    def look_at_clock(self) -> None:
        """Tells every place that somebody has set the clock."""
        for place in self.places:
            if place.child is not None:
                place.child.signal(signal.SIGUSR1)

    async def stop_all(self) -> None:
        """Every place that lives; each has to end with 0."""
        for place in self.places:
            if place.child is not None and place.child.alive:
                code = await self.stop(place)
                assert code == 0, f"{place.roles} stopped with {code}: {place.log.read_text()[-2000:]}"

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """`limani ARGUMENTS` with the first place's settings. A command that dies of a crash point dies of it
        once: its human types it again."""
        place = self.places[0]
        told = await self._home.command(list(arguments), place.environment, place.folder, place.rig)
        if told[0] == -9 and place.rig.get("crash"):
            self.killed_commands += 1
            place.rig = {**place.rig, "crash": None}
        return told
