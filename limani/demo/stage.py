"""Sets the demo's stage: three stand-ins on loopback, settings, accounts, and the whole product between them.

The same code serves in production; only the addresses of the providers are those of the stand-ins.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config.settings import ROOT, Settings, load_settings
from escalation import people
from limani.app import App, make_app
from limani.demo.page import DemoPage
from limani.demo.phones import OnCall, Phones
from limani.demo.rail import Rail
from limani.serve import serving
from sandbox.record import Record
from sandbox.telegram import TelegramStandIn
from sandbox.twilio import TwilioStandIn
from sandbox.viber import ViberStandIn
from store.clock import SystemClock, to_micros
from store.vault import new_key

HOST = "127.0.0.1"
AT_THE_CONSOLE = "eleni"
LINE = "+302810000000"  # the number that the demo's calls come from; nobody has it
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Providers:
    """The stand-ins, sharing one record of what happened."""

    telegram: TelegramStandIn
    viber: ViberStandIn
    twilio: TwilioStandIn
    record: Record


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that runs: its address, the product, and what stands around it."""

    url: str
    app: App
    providers: Providers
    phones: Phones


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that nobody listens on. Raises OSError when there is none near."""
    for port in range(wanted, wanted + _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise OSError(f"no free port between {wanted} and {wanted + _TRIES - 1}")


@asynccontextmanager
async def open_stage(port: int, folder: Path | None = None) -> AsyncIterator[Stage]:
    """Everything runs inside this block. `folder` keeps the database and the key (default: var/demo)."""
    folder = folder or ROOT / "var" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{HOST}:{port}"
    async with AsyncExitStack() as stack:
        providers = await _providers(stack, url)
        settings = _settings(folder, port, url, providers)
        app = await make_app(settings, auto_login=AT_THE_CONSOLE)
        await _accounts(app)
        phones = _phones(app, providers)
        page = DemoPage(
            app.parts.db, app.parts.bell, providers.record, phones, _rail(app, phones), settings.public_url
        )
        await stack.enter_async_context(_serving(app, page))
        yield Stage(url, app, providers, phones)


async def _providers(stack: AsyncExitStack, url: str) -> Providers:
    record = Record()
    # Ids go on from the clock: after a restart nothing new looks like a repeat of something old.
    now = to_micros(SystemClock().now())
    telegram = TelegramStandIn(
        "100200300:demo-token",
        "demo-secret",
        f"{url}/webhooks/telegram",
        record=record,
        first_update=now // 1000,
    )
    viber = ViberStandIn("demo-viber-token", f"{url}/webhooks/viber", record=record, first_token=now * 1000)
    twilio = TwilioStandIn(
        "AC" + "d" * 32, secrets.token_hex(16), record=record, seconds=1.0, seed=secrets.randbits(32)
    )
    for provider in (telegram, viber, twilio):
        await stack.enter_async_context(provider)
    twilio.line(LINE, f"{url}/webhooks/twilio/voice", f"{url}/webhooks/twilio/sms")
    return Providers(telegram, viber, twilio, record)


def _settings(folder: Path, port: int, url: str, providers: Providers) -> Settings:
    return load_settings(
        database_url=f"sqlite:///{folder / 'limani.db'}",
        redis_url=None,
        public_url=url,
        host=HOST,
        port=port,
        secret_keys=_key(folder / "key"),
        telegram_token=providers.telegram.token,
        telegram_secret=providers.telegram.secret,
        telegram_api_url=providers.telegram.url,
        telegram_polling=False,
        viber_token=providers.viber.token,
        viber_api_url=providers.viber.url,
        twilio_account_sid=providers.twilio.account_sid,
        twilio_auth_token=providers.twilio.auth_token,
        twilio_auth_token_old=None,
        twilio_from=LINE,
        twilio_api_url=providers.twilio.url,
        twilio_cps=20,
        rasa_url=None,
        heartbeat_url=None,
    )


def _key(path: Path) -> str:
    """The demo's own secret key, kept beside its database."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(new_key())
    return path.read_text("ascii").strip()


async def _accounts(app: App) -> None:
    """Everybody on the roster may sign in; nobody needs the password, because the demo signs in by itself."""
    db, clock = app.parts.db, app.parts.clock
    known = {str(row["name"]) for row in await db.read(people.list_all)}
    for person in app.staff.duty.roster.people.values():
        if person.key not in known:
            hashed = await people.hash_password(secrets.token_urlsafe(24))
            await db.write(lambda tx, p=person, h=hashed: people.add(tx, p.key, str(p.role), h, clock.now()))  # type: ignore[misc]


def _phones(app: App, providers: Providers) -> Phones:
    roster = app.staff.duty.roster.people.values()
    crew = {p.key: OnCall(p.key, p.name, p.phone, str(p.role)) for p in roster if p.phone is not None}
    citizen = to_micros(app.parts.clock.now()) // 1_000_000 % 1_000_000_000
    return Phones(providers.telegram, providers.viber, providers.twilio, crew, citizen)


def _rail(app: App, phones: Phones) -> Rail:
    return Rail(app.parts.clock.now(), {person.number: key for key, person in phones.people.items()})


@asynccontextmanager
async def _serving(app: App, page: DemoPage) -> AsyncIterator[None]:
    """The product and the page on one port."""
    async with serving(app, more=page.routes()):
        try:
            yield
        finally:
            page.stop()
