"""The product as the world sees it: a process of its own, its settings, its webhooks, its command line.

Nothing of ours is imported here: these tests know docs and contracts, not the code.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from sandbox import Record, TelegramStandIn, TwilioStandIn, ViberStandIn

ROOT = Path(__file__).parent.parent.parent
NUMBER = "+306900000000"
ROSTER = {
    "people": {
        "eleni": {"name": "Eleni", "phone": "+306900000001", "languages": ["el", "en"]},
        "nikos": {"name": "Nikos", "phone": "+306900000002"},
        "dora": {"name": "Dora", "phone": "+306900000009", "role": "supervisor"},
    },
    "shifts": [{"days": "mon-sun", "from": "00:00", "to": "24:00", "order": ["eleni", "nikos"]}],
}


def policy(seconds: int = 60, repeat: int = 3, contact: str = "5m") -> dict[str, Any]:
    """The three usual steps of `seconds` each."""
    who = ("first", "second", "supervisor")
    steps = [{"who": one, "by": ["voice", "sms"], "for": f"{seconds}s"} for one in who]
    return {"steps": steps, "repeat": repeat, "contact_within": contact}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Product:
    """A running server and the providers around it."""

    folder: Path
    database_url: str
    roster: dict[str, Any] = field(default_factory=lambda: ROSTER)
    policy: dict[str, Any] = field(default_factory=policy)
    extra: dict[str, str] = field(default_factory=dict)
    roles: str = "all"
    public_url: str = ""
    port: int = field(default_factory=free_port)
    record: Record = field(default_factory=Record)
    process: asyncio.subprocess.Process | None = None
    program: tuple[str, ...] = ("-m", "limani")
    patience: float = 20  # seconds that a start may take

    def __post_init__(self) -> None:
        self.telegram = TelegramStandIn(
            "100001:outside", "outside-secret", f"{self.url}/webhooks/telegram", record=self.record
        )
        self.viber = ViberStandIn("outside-viber", f"{self.url}/webhooks/viber", record=self.record)
        self.twilio = TwilioStandIn("AC" + "1" * 32, "outside-twilio", record=self.record)
        self.twilio.line(NUMBER, f"{self.url}/webhooks/twilio/voice", f"{self.url}/webhooks/twilio/sms")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Product:
        for stand_in in (self.telegram, self.viber, self.twilio):
            await stand_in.start()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        for stand_in in (self.telegram, self.viber, self.twilio):
            await stand_in.stop()

    def environment(self) -> dict[str, str]:
        """The settings of the process; nothing of the machine's own LIMANI_ settings."""
        roster, rules = self.folder / "roster.yaml", self.folder / "policy.yaml"
        roster.write_text(yaml.safe_dump(self.roster))
        rules.write_text(yaml.safe_dump(self.policy))
        own = {name: value for name, value in os.environ.items() if not name.startswith("LIMANI_")}
        return own | {
            "LIMANI_DATABASE_URL": self.database_url,
            "LIMANI_PUBLIC_URL": self.public_url or self.url,
            "LIMANI_PORT": str(self.port),
            "LIMANI_SECRET_KEYS": base64.urlsafe_b64encode(b"k" * 32).decode(),
            "LIMANI_ROSTER": str(roster),
            "LIMANI_POLICY": str(rules),
            "LIMANI_TELEGRAM_TOKEN": "100001:outside",
            "LIMANI_TELEGRAM_SECRET": "outside-secret",
            "LIMANI_TELEGRAM_API_URL": self.telegram.url,
            "LIMANI_VIBER_TOKEN": "outside-viber",
            "LIMANI_VIBER_API_URL": self.viber.url,
            "LIMANI_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "LIMANI_TWILIO_AUTH_TOKEN": "outside-twilio",
            "LIMANI_TWILIO_FROM": NUMBER,
            "LIMANI_TWILIO_API_URL": self.twilio.url,
            "LIMANI_TWILIO_CPS": "20",
            "LIMANI_TELEGRAM_CHAT_RATE": "1000",
            **self.extra,
        }

    def beside(self, folder: Path, roles: str) -> Product:
        """Another process on the same database and the same providers."""
        other = Product(
            folder, self.database_url, self.roster, self.policy, dict(self.extra), roles, self.url
        )
        other.telegram, other.viber, other.twilio = self.telegram, self.viber, self.twilio
        return other

    async def start(self) -> None:
        """Starts the server and waits until it is ready."""
        log = (self.folder / "server.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, *self.program, "serve", "--role", self.roles),
            env=self.environment(),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        log.close()
        await self.ready(self.patience)

    async def ready(self, within: float = 20) -> None:
        """Returns when /readyz says so."""
        async with asyncio.timeout(within), aiohttp.ClientSession() as http:
            while True:
                assert self.process is not None
                assert self.process.returncode is None, self.log()
                try:
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """SIGTERM, and the exit code has to be 0."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            assert await asyncio.wait_for(self.process.wait(), 15) == 0, self.log()

    def log(self) -> str:
        """Everything that the server printed."""
        return (self.folder / "server.log").read_text()

    async def cli(self, *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
        """Runs `limani ...` beside the server: exit code, output, errors."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "limani",
            *arguments,
            env=self.environment(),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(None if stdin is None else stdin.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def tickets(self) -> list[dict[str, Any]]:
        """`limani tickets list --json`."""
        code, out, err = await self.cli("tickets", "list", "--json")
        assert code == 0, err
        found: list[dict[str, Any]] = json.loads(out)
        return found

    async def ticket(
        self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, within: float = 10
    ) -> dict[str, Any]:
        """The first ticket that fits, as soon as there is one."""
        async with asyncio.timeout(within):
            while True:
                for ticket in await self.tickets():
                    if wanted(ticket):
                        return ticket
                await asyncio.sleep(0.1)
