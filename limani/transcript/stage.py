"""The stage of a transcript: the whole product on a clock that stands still, with simulated phones.

Everything is real except time and chance: real HTTP between product and stand-ins, the real database,
the real understanding. The loops do not run by themselves; `settle` does what they would do, until
nothing is left to do.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from aiohttp import web
from sqlalchemy import Connection, func, select

from bot import waits
from config.settings import Settings, load_settings
from limani.app import App, Mind, load_mind, make_app
from limani.transcript.citizen import Phone, make_phone
from limani.transcript.collect import Collector
from limani.web import listen
from sandbox import Record, TelegramStandIn, TwilioStandIn, ViberStandIn
from store.clock import ManualClock
from store.schema import attempts, inbox, pages, tickets

KEY = "dHJhbnNjcmlwdHMtaGF2ZS1uby1zZWNyZXRzLWF0LWE="
ATHENS = ZoneInfo("Europe/Athens")
START = datetime(2026, 11, 24, 10, 0, tzinfo=ATHENS)
NUMBER = "+306900000000"
_TOKEN = "100000:transcript"  # noqa: S105 - the stand-in's, worth nothing elsewhere
_SECRET = "transcript-secret"  # noqa: S105
_ACCOUNT = "AC" + "0" * 32
_BUSY_ROUNDS = 500

PEOPLE: Mapping[str, dict[str, Any]] = {
    "eleni": {"name": "Eleni", "phone": "+306900000001", "languages": ["el", "en"]},
    "nikos": {"name": "Nikos", "phone": "+306900000002", "languages": ["el"]},
    "dora": {"name": "Dora", "phone": "+306900000009", "role": "supervisor"},
}
POLICY = {
    "steps": [
        {"who": "first", "by": ["voice", "sms"], "for": "60s"},
        {"who": "second", "by": ["voice", "sms"], "for": "60s"},
        {"who": "supervisor", "by": ["voice", "sms"], "for": "120s"},
    ],
    "repeat": 3,
    "contact_within": "5m",
}


@cache
def mind() -> Mind:
    """Loaded once a process, whatever the number of transcripts."""
    return load_mind()


@dataclass(slots=True)
class Stage:
    """A running product for one transcript block."""

    clock: ManualClock
    folder: Path
    settings: Settings
    record: Record
    telegram: TelegramStandIn
    viber: ViberStandIn
    twilio: TwilioStandIn
    port: int
    seed: int
    app: App = field(init=False)
    phone: Phone = field(init=False)
    collector: Collector = field(init=False)
    runner: web.AppRunner = field(init=False)

    async def open(self) -> None:
        """Starts the product (again)."""
        self.seed += 1
        self.app = await make_app(self.settings, clock=self.clock, chance=Random(self.seed), mind=mind())  # noqa: S311
        self.runner, _ = await listen(self.app.web_app(), "127.0.0.1", self.port)
        await self.app.start()

    async def restart(self) -> None:
        """As after a crash: nothing is finished, nothing is flushed, the files are what is left."""
        await self.runner.cleanup()
        await self.app.stop()
        await self.open()

    async def close(self) -> None:
        """Ends everything and removes the database."""
        await self.phone.close()
        await self.runner.cleanup()
        await self.app.stop()
        for stand_in in (self.telegram, self.viber, self.twilio):
            await stand_in.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def settle(self) -> None:
        """Does everything that is due now, until nothing more happens."""
        for _ in range(_BUSY_ROUNDS):
            if not await self._pass():
                return
        raise RuntimeError("the product does not come to rest")

    async def _pass(self) -> bool:
        app = self.app
        busy = await app.turns.tick()
        busy |= await app.waits.tick()
        before = await app.parts.db.read(_fingerprint)
        await app.staff.pager.tick()
        await app.staff.pager.idle()
        busy |= await app.sender.tick()
        await app.sender.settle()
        for phone in list(self.twilio.phones.values()):
            for call in phone.calls:
                await call.told()
        return busy or before != await app.parts.db.read(_fingerprint)

    async def advance(self, by: timedelta) -> None:
        """Moves time on, stopping wherever something is due, so that nothing happens late."""
        end = self.clock.now() + by
        while (due := await self.next_due()) is not None and due < end:
            self.clock.set(max(due, self.clock.now() + timedelta(milliseconds=1)))
            await self.settle()
        self.clock.set(end)
        await self.settle()

    async def next_due(self) -> datetime | None:
        """When something will be due next."""
        read = self.app.parts.db.read
        dues = [
            await read(waits.next_due),
            await read(self.app.outbox.next_due),
            await self.app.staff.next_due(),
        ]
        now = self.clock.now()
        return min((due for due in dues if due is not None and due > now), default=None)

    async def story(self) -> list[str]:
        """What happened since it was last asked, as transcript lines."""
        return await self.app.parts.db.read(self.collector.new_lines)

    async def newest_ticket(self) -> str:
        """The reference of the ticket that was opened last."""
        query = select(tickets.c.ref).order_by(tickets.c.id.desc()).limit(1)
        ref: str | None = await self.app.parts.db.read(lambda tx: tx.execute(query).scalar())
        if ref is None:
            raise LookupError("there is no ticket yet")
        return ref


async def open_stage(given: Mapping[str, str]) -> Stage:
    """Sets a stage: channel, language, clock, oncall as in the `given` lines."""
    clock = ManualClock(datetime.fromisoformat(given.get("clock", START.isoformat())).astimezone(UTC))
    folder = Path(tempfile.mkdtemp(prefix="limani-"))
    record = Record(clock=lambda: clock.now().timestamp())
    telegram = await TelegramStandIn(_TOKEN, _SECRET, record=record).start()
    viber = await ViberStandIn("transcript-viber", record=record).start()
    twilio = await TwilioStandIn(_ACCOUNT, "transcript-twilio", record=record).start()
    port = _free_port()
    settings = _settings(given, folder, port, telegram.url, viber.url, twilio.url)
    stage = Stage(clock, folder, settings, record, telegram, viber, twilio, port, seed=0)
    public = settings.public_url
    telegram.webhook = f"{public}/webhooks/telegram"
    viber.webhook = f"{public}/webhooks/viber"
    await stage.open()
    stage.collector = Collector(stage.app.parts.record, stage.app.outbox)
    stage.phone = await make_phone(
        given.get("channel", "telegram"), given.get("language", "el"), telegram, viber, public
    )
    return stage


def _settings(
    given: Mapping[str, str], folder: Path, port: int, telegram: str, viber: str, twilio: str
) -> Settings:
    roster, policy = folder / "roster.yaml", folder / "policy.yaml"
    roster.write_text(
        yaml.safe_dump(_roster(given.get("oncall", "eleni,nikos,supervisor")), allow_unicode=True)
    )
    policy.write_text(yaml.safe_dump(POLICY))
    return load_settings(
        database_url=f"sqlite:///{folder / 'limani.db'}",
        secret_keys=(KEY,),
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        roster=roster,
        policy=policy,
        telegram_token=_TOKEN,
        telegram_secret=_SECRET,
        telegram_api_url=telegram,
        viber_token="transcript-viber",  # noqa: S106
        viber_api_url=viber,
        twilio_account_sid=_ACCOUNT,
        twilio_auth_token="transcript-twilio",  # noqa: S106
        twilio_from=NUMBER,
        twilio_api_url=twilio,
        twilio_cps=1000,
        telegram_rate=1000,
        telegram_chat_rate=1000,
        redis_url=None,
    )


def _roster(oncall: str) -> dict[str, Any]:
    """`eleni,nikos,supervisor`, `supervisor` alone, or `nobody`."""
    words = [word for word in oncall.split(",") if word != "nobody"]
    order = [word for word in words if word in PEOPLE and word != "dora"]
    kept = [*order, *(["dora"] if "supervisor" in words or "dora" in words else [])]
    shifts = [{"days": "mon-sun", "from": "00:00", "to": "24:00", "order": order}] if order else []
    return {"people": {key: dict(PEOPLE[key]) for key in kept}, "shifts": shifts}


def _fingerprint(tx: Connection) -> list[Any]:
    """Changes whenever the pager or a provider's callback has changed anything."""
    columns = (attempts.c.id, attempts.c.state, attempts.c.tries, attempts.c.due_at, attempts.c.provider_seq)
    moving = (pages.c.id, pages.c.state, pages.c.round, pages.c.step, pages.c.due_at)
    newest = tx.execute(select(func.max(inbox.c.id))).all()
    return [*tx.execute(select(*columns)).all(), *tx.execute(select(*moving)).all(), *newest]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
