"""The harbour master: every part of the product, made once and handed what it needs.

This is the wiring that one can read. Nothing here decides anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp import web
from sqlalchemy.engine import make_url

from bot.channels.base import Channel, Limits
from bot.channels.sms import SmsChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.viber import ViberChannel
from bot.channels.web.channel import WebChannel
from bot.channels.web.page import Town
from bot.channels.webhook import Refusals
from bot.door import Door
from bot.outbox import Outbox
from bot.quarantine import Quarantine
from bot.sender import Sender
from bot.sessions import Sessions
from bot.shared_pace import SharedPace
from bot.spool import Spool
from bot.turn import Turn
from bot.turns import Turns
from bot.twilio import TwilioClient
from bot.waits import Waits
from bot.world import World
from config.facts import FactKind
from config.profile import Profile
from config.settings import Settings
from console.app import Console
from escalation.people import Accounts
from escalation.room import Escalation
from flows.load import load_library
from flows.model import Library
from limani.escalate import make_escalation
from limani.health import Health
from limani.heartbeat import Heartbeat
from limani.measured import MeasuredChannel, count_webhooks
from limani.paces import make_paces
from limani.parts import Parts, make_parts
from limani.presence import Presence
from limani.roles import ROLES
from limani.web import make_web_app
from nlu.engine import EmbeddedReader
from nlu.reading import Reader
from store.clock import Clock
from store.loop import Loop, Pulse

_NUMBER = re.compile(r"\d{3,6}(?: \d{3,7})*")


@dataclass(frozen=True, slots=True)
class Mind:
    """What takes longest to load and never changes: the flows, and the engine that reads texts."""

    library: Library
    reader: Reader


def load_mind() -> Mind:
    """From the files of the installation. Raises FlowError."""
    return Mind(load_library(), EmbeddedReader.load())


@dataclass(frozen=True, slots=True)
class App:
    """The product. `start` and `stop` open and close what speaks to the outside."""

    parts: Parts
    outbox: Outbox
    door: Door
    turns: Turns
    sender: Sender
    waits: Waits
    staff: Escalation
    console: Console
    health: Health
    channels: dict[str, Channel]
    twilio: TwilioClient | None
    pulse: Pulse
    refusals: Refusals
    shared: list[SharedPace] = field(default_factory=list)

    def routes(self, roles: Iterable[str] = ROLES) -> list[web.RouteDef]:
        """Every door of the product; those who only work inside answer monitors alone."""
        if "web" not in roles:
            return self.health.routes()
        doors = [route for channel in self.channels.values() for route in channel.routes()]
        return [*doors, *self.staff.routes, *self.console.routes(), *self.health.routes()]

    def web_app(self, more: Iterable[web.RouteDef] = (), roles: Iterable[str] = ROLES) -> web.Application:
        """The HTTP side (and `more` of it), with every open stream ended first when it stops."""

        async def end_chats(_: web.Application) -> None:
            await self.channels["web"].stop()

        inner = (count_webhooks(self.parts.figures),)
        return make_web_app([*more, *self.routes(roles)], (self.console.close, end_chats), inner)

    def loops(self, roles: Sequence[str] = ROLES) -> list[Loop]:
        """The loops of these roles. Each may run in any number of processes."""
        of_role = {
            "web": [Loop("spool", self.door.replay, ("spool",))],
            "worker": [
                Loop("turns", self.turns.tick, ("inbox",), 0.5),
                Loop("sender", self.sender.tick, ("outbox",), 0.5),
                Loop("waits", self.waits.tick, (), 0.5),
            ],
            "pager": [self.staff.pager.loop()],
        }
        url = self.parts.settings.heartbeat_url
        beats = [Presence(self.parts.db, self.parts.clock, tuple(roles)).loop()]
        beats += [Heartbeat(url, self.health).loop()] if url else []
        return [*beats, *(loop for role in roles for loop in of_role[role])]

    async def start(self, roles: Iterable[str] = ROLES) -> None:
        """Gives back what a crash left half done, then opens connections. Waits for no provider. Channels
        register their webhook (or poll) only where webhooks are served."""
        if self.parts.settings.database_url.startswith("sqlite"):
            # Only one process serves a SQLite file, so whatever is taken or being sent was ours.
            await self.parts.db.write(self.parts.inbox.release_all)
            await self.parts.db.write(self.outbox.release_all)
        for channel in self.channels.values():
            await channel.start(listens="web" in roles)
        for pace in self.shared if "worker" in roles else []:
            pace.start()

    async def stop(self) -> None:
        """Finishes what is being sent, then closes everything."""
        await self.sender.stop()
        for pace in self.shared:
            await pace.close()
        await self.staff.pager.stop()
        for channel in self.channels.values():
            await channel.stop()
        if self.twilio is not None:
            await self.twilio.stop()
        await self.parts.db.close()


async def make_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Random | None = None,
    auto_login: str | None = None,
    mind: Mind | None = None,
    spool: Path | None = None,
) -> App:
    """Makes the product from its settings. `clock` and `chance` are for transcripts, and a `mind` that was
    loaded already; `auto_login` signs every browser into the console as that person (only the demo); `spool`
    is the file that this process holds for itself."""
    mind = mind or load_mind()
    parts = await make_parts(settings, clock, chance)
    limits: dict[str, Limits] = {}
    refusals, pulse = Refusals(), Pulse()
    outbox = Outbox(parts.vault, parts.ids, parts.citizens, limits)
    bucket = Spool(spool or spool_folder(settings) / f"spool-{settings.port}.log", parts.vault)
    door = Door(
        *(parts.db, parts.bell, parts.clock, parts.inbox, outbox, parts.citizens, bucket, parts.record),
        figures=parts.figures,
    )
    twilio = _twilio(settings)
    channels = _channels(parts, outbox, door, twilio, refusals)
    limits.update({name: channel.limits for name, channel in channels.items()})
    staff = make_escalation(parts, twilio, refusals.refuse)
    turn = Turn(
        clock=parts.clock,
        inbox=parts.inbox,
        outbox=outbox,
        sessions=Sessions(parts.vault),
        record=parts.record,
        world=World(parts.profile, parts.ids, staff.duty.on_call_now),
        library=mind.library,
        reader=mind.reader,
    )
    quarantine = Quarantine(parts.inbox, parts.record, parts.ids)
    paces = make_paces(channels, settings.redis_url, parts.figures)
    sender = Sender(
        parts.db,
        parts.bell,
        parts.clock,
        parts.ids,
        outbox,
        parts.citizens,
        parts.record,
        {name: MeasuredChannel(channel, parts.figures) for name, channel in channels.items()},
        paces,
        parts.figures,
    )
    turns = Turns(
        *(parts.db, parts.bell, parts.clock, parts.ids, parts.inbox, turn, quarantine),
        sender=sender,
        figures=parts.figures,
    )
    return App(
        parts,
        outbox,
        door,
        turns,
        sender,
        Waits(parts.db, parts.bell, parts.clock, parts.inbox, parts.figures),
        staff,
        _console(parts, staff, mind.library, auto_login),
        Health(parts, bucket, pulse, refusals, rings=staff.duty.on_call_now),
        channels,
        twilio,
        pulse,
        refusals,
        shared=[pace for pace in paces.values() if isinstance(pace, SharedPace)],
    )


def spool_folder(settings: Settings) -> Path:
    """Beside the SQLite file, else ./var: always on this machine's own disk."""
    url = make_url(settings.database_url)
    return Path(url.database).parent if url.drivername == "sqlite" and url.database else Path("var")


def _twilio(settings: Settings) -> TwilioClient | None:
    """The Twilio account, None where there is none: pages then wait in the console and the alarm sounds."""
    if not (settings.twilio_account_sid and settings.twilio_auth_token and settings.twilio_from):
        return None
    old = settings.twilio_auth_token_old
    return TwilioClient(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        auth_token_old=old.get_secret_value() if old else None,
        from_number=settings.twilio_from,
        api_url=settings.twilio_api_url,
        public_url=settings.public_url,
    )


def _channels(
    parts: Parts, outbox: Outbox, door: Door, twilio: TwilioClient | None, refusals: Refusals
) -> dict[str, Channel]:
    """The channels that are configured; the web chat always is."""
    settings, public_url = parts.settings, parts.settings.public_url
    channels: list[Channel] = [_web(parts, outbox, door)]
    if settings.telegram_token:
        secret = settings.telegram_secret
        channels.append(
            TelegramChannel(
                token=settings.telegram_token.get_secret_value(),
                secret=secret.get_secret_value() if secret else None,
                api_url=settings.telegram_api_url,
                public_url=public_url,
                door=door,
                refusals=refusals,
                polling=settings.telegram_polling,
                rate=settings.telegram_rate,
                chat_rate=settings.telegram_chat_rate,
            )
        )
    if settings.viber_token:
        channels.append(
            ViberChannel(
                token=settings.viber_token.get_secret_value(),
                api_url=settings.viber_api_url,
                public_url=public_url,
                sender=settings.viber_sender,
                door=door,
                refusals=refusals,
            )
        )
    if twilio is not None:
        channels.append(SmsChannel(twilio=twilio, public_url=public_url, door=door, refusals=refusals))
    return {channel.name: channel for channel in channels}


def _web(parts: Parts, outbox: Outbox, door: Door) -> WebChannel:
    town = parts.profile.town
    return WebChannel(
        parts.db,
        parts.vault,
        parts.bell,
        parts.clock,
        parts.ids,
        parts.citizens,
        outbox,
        door,
        parts.settings.public_url,
        ("'self'", *town.web_chat.origins),
        _town(parts.profile),
    )


def _town(profile: Profile) -> Town:
    """Whose chat it is; every phone and line of the profile becomes a link wherever the bot writes it."""
    town = profile.town
    dialled = [fact for fact in profile.facts.values() if fact.kind in (FactKind.hotline, FactKind.phone)]
    numbers = {match[0] for fact in dialled for match in _NUMBER.finditer(" ".join(fact.value.values()))}
    names = {language: profile.words(town.municipality, language) for language in ("el", "en")}
    return Town(names, town.bot_name, tuple(sorted(numbers)), town.web_chat.exit_url)


def _console(parts: Parts, staff: Escalation, library: Library, auto_login: str | None) -> Console:
    return Console(
        db=parts.db,
        record=parts.record,
        desk=staff.desk,
        accounts=Accounts(parts.db),
        roster=staff.duty.roster,
        bell=parts.bell,
        clock=parts.clock,
        ids=parts.ids,
        vault=parts.vault,
        public_url=parts.settings.public_url,
        library=library,
        auto_login=auto_login,
        rings=staff.duty.on_call_now,
    )
