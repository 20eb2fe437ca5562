"""The real `limani serve` as a process of its own, with Telegram, Viber and Twilio around it.

The providers are the sandbox's, on loopback, in this process; their phones are used as citizens use theirs.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cores, servers
from bench.servers import Server
from bench.twilio_stub import ACCOUNT, NUMBER, TOKEN
from bench.updates import SECRET
from bench.updates import TOKEN as TELEGRAM_TOKEN
from sandbox import Record, TelegramStandIn, TwilioStandIn, ViberStandIn

VIBER = "bench-viber"


@dataclass(slots=True)
class Town:
    """The providers, and where the product is to be started."""

    folder: Path
    port: int
    telegram: TelegramStandIn
    viber: ViberStandIn
    twilio: TwilioStandIn

    @property
    def log(self) -> Path:
        """What the product prints."""
        return self.folder / "server.log"

    async def start(self, **more: str) -> Server:
        """Starts the product; does not wait until it is ready."""
        command = (sys.executable, "-m", "limani", "serve")
        environment = servers.settings(self.folder, self.port, **{**self._providers(), **more})
        return await servers.start(
            "ours", command, environment, self.port, self.log, wired=False, on=cores.BOTH
        )

    def _providers(self) -> dict[str, str]:
        return {
            "LIMANI_TELEGRAM_API_URL": self.telegram.url,
            "LIMANI_VIBER_TOKEN": VIBER,
            "LIMANI_VIBER_API_URL": self.viber.url,
            "LIMANI_TWILIO_ACCOUNT_SID": ACCOUNT,
            "LIMANI_TWILIO_AUTH_TOKEN": TOKEN,
            "LIMANI_TWILIO_FROM": NUMBER,
            "LIMANI_TWILIO_API_URL": self.twilio.url,
            "LIMANI_TWILIO_CPS": "20",
        }


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """The providers serve inside this block."""
    port, record = servers.free_port(), Record()
    webhooks = f"http://127.0.0.1:{port}/webhooks"
    telegram = TelegramStandIn(TELEGRAM_TOKEN, SECRET, f"{webhooks}/telegram", record=record)
    viber = ViberStandIn(VIBER, f"{webhooks}/viber", record=record)
    twilio = TwilioStandIn(ACCOUNT, TOKEN, record=record)
    twilio.line(NUMBER, f"{webhooks}/twilio/voice", f"{webhooks}/twilio/sms")
    for stand_in in (telegram, viber, twilio):
        await stand_in.start()
    try:
        yield Town(folder, port, telegram, viber, twilio)
    finally:
        for stand_in in (telegram, viber, twilio):
            await stand_in.stop()
