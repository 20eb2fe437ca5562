"""One municipality as it is served: the real product with its own profile and database, on the shared clock.

Real: the door (HTTP, secret, parsing), inbox, understanding, flows, record, outbox, pager, SQLite FULL.
Stubs: the lowest requests to Telegram and Twilio, which answer at once. The loops do not run by themselves;
`settle` does what they would do, as the stage of the transcripts does.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bench import updates
from bench.day.numbers import Numbers
from bench.day.towns import TownSpec, write_profile
from bench.httpclient import Connection, request_head
from bench.servers import free_port
from bot.channels.telegram_http import AioRequest
from bot.twilio_http import TwilioHttp
from config.settings import Settings, load_settings
from limani.app import App, Mind, make_app
from limani.web import listen
from store.clock import Clock

KEY = "dGhlLXdvcnN0LWRheS1oYXMtbm8tc2VjcmV0cy1hdC4="
SECRET = "day-secret"
_HEAD = request_head(updates.PATH, X_Telegram_Bot_Api_Secret_Token=SECRET)
_DUE = (
    "SELECT min(due_at) FROM waits",
    "SELECT min(due_at) FROM outbox"
    " WHERE (state = 'due' OR state = 'sending' OR state = 'unknown') AND state <> 'sending'",  # by its index
)
_PAGING = (
    "SELECT min(due_at) FROM pages WHERE state IN ('needed','ringing','acknowledged','exhausted')",
    "SELECT min(due_at) FROM attempts WHERE state IN ('due','ringing') AND means = 'voice'",
    "SELECT min(due_at) FROM attempts WHERE state = 'due'",
)
_ROUNDS = 500
_TWILIO = "day"
_signer = RequestValidator(_TWILIO)
_urgent: ContextVar[bool] = ContextVar("urgent", default=False)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message that was handed to Telegram's transport."""

    chat: int
    text: str
    markup: str
    urgent: bool


class _NoPace:
    """The pace is charged on the fake clock (engine); here it is only noted what is urgent."""

    async def turn(self, chat: int, turn: int, *, urgent: bool) -> None:
        _urgent.set(urgent)

    def stop(self) -> None:
        return


@dataclass(slots=True)
class Town:
    """A served municipality. `carrier` answers what is asked of Twilio."""

    spec: TownSpec
    app: App
    runner: web.AppRunner
    port: int
    path: Path
    carrier: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
    raw: sqlite3.Connection
    stack: ExitStack
    bells: dict[str, asyncio.Event]
    said: list[Spoken] = field(default_factory=list)
    idle: deque[Connection] = field(default_factory=deque)
    paging: bool = False

    async def post(self, body: bytes) -> None:
        """One Telegram update through the real door."""
        status, _ = await self._send(_HEAD, body)
        if status != 200:
            raise RuntimeError(f"the door answered {status}")

    async def twilio_posts(self, url: str, form: Mapping[str, str]) -> str:
        """One signed request of Twilio; returns the TwiML."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signature = _signer.compute_signature(url, dict(form))
        head = request_head(path, X_Twilio_Signature=signature)
        body = "&".join(f"{name}={value}" for name, value in form.items())
        status, answer = await self._send(head, body.encode())
        if status >= 300:
            raise RuntimeError(f"{path} answered {status}")
        return answer.decode()

    async def _send(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        line = self.idle.popleft() if self.idle else await Connection.open(self.port)
        answer = await line.post(head, body)
        self.idle.append(line)
        return answer

    async def settle(self, *, look: bool) -> None:
        """Does what the bells ask for, until they are silent; `look`: something is due by itself as well.
        What has to wait for a provider's rate stays due: the caller looks again later, as the loops do."""
        if look:
            await self._look()
        for _ in range(_ROUNDS):
            if not await self._pass():
                return
        raise RuntimeError("the product does not come to rest")

    async def _pass(self) -> bool:
        app, busy = self.app, False
        if self._rung("inbox"):
            busy = True
            while await app.turns.tick():
                pass
            await app.sender.settle()
        if self._rung("outbox"):
            busy |= await app.sender.tick()
            await app.sender.settle()
        if self._rung("pager"):
            self.paging = busy = True
            await app.staff.pager.tick()
            await app.staff.pager.idle()
        return busy

    async def _look(self) -> None:
        """Something is due by itself."""
        await self.app.waits.tick()
        if self.paging:
            await self.app.staff.pager.tick()
            await self.app.staff.pager.idle()
        await self.app.sender.tick()
        await self.app.sender.settle()

    def _rung(self, topic: str) -> bool:
        rung = self.bells[topic].is_set()
        self.bells[topic].clear()
        return rung

    def next_due(self) -> float | None:
        """Seconds since 1970 at which something is due by itself."""
        asked = _DUE + _PAGING if self.paging else _DUE
        dues = [self.raw.execute(query).fetchone()[0] for query in asked]
        known = [due for due in dues if due is not None]
        return min(known) / 1e6 if known else None

    def take_said(self) -> list[Spoken]:
        """What was handed to the transport since the last time."""
        said, self.said = self.said, []
        return said

    async def close(self) -> None:
        """Ends it; the database stays."""
        for line in self.idle:
            line.close()
        self.stack.close()
        await self.runner.cleanup()
        await self.app.stop()
        self.raw.close()


async def open_town(
    spec: TownSpec,
    folder: Path,
    clock: Clock,
    mind: Mind,
    numbers: Numbers,
    carrier: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]],
) -> Town:
    """Writes the profile, validates it, and serves it on a port of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = write_profile(spec, folder / "profile")
    port = free_port()
    app = await make_app(
        _settings(spec, folder, profile, port, numbers),
        clock=clock,
        chance=Random(spec.number),
        mind=mind,
    )
    app.sender._paces = dict.fromkeys(app.channels, _NoPace())
    runner, _ = await listen(app.web_app(), "127.0.0.1", port)
    await app.start()
    stack = ExitStack()
    bells = {
        topic: stack.enter_context(app.parts.bell.listen(topic)) for topic in ("inbox", "outbox", "pager")
    }
    raw = sqlite3.connect(f"file:{folder / 'limani.db'}?mode=ro", uri=True)
    town = Town(spec, app, runner, port, folder / "limani.db", carrier, raw, stack, bells)
    _served[spec.number] = town
    return town


def _settings(spec: TownSpec, folder: Path, profile: Path, port: int, numbers: Numbers) -> Settings:
    return load_settings(
        database_url=f"sqlite:///{folder / 'limani.db'}",
        secret_keys=(KEY,),
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        profile=profile,
        telegram_token=f"{spec.number}:day",
        telegram_secret=SECRET,
        telegram_api_url="http://127.0.0.1:9",
        telegram_rate=1e6,
        telegram_chat_rate=1e6,
        twilio_account_sid=f"AC{spec.number:032d}",
        twilio_auth_token=_TWILIO,
        twilio_from="+306900000000",
        twilio_api_url="http://127.0.0.1:9",
        twilio_cps=numbers["twilio_cps"],
        redis_url=None,
    )


_served: dict[int, Town] = {}
_MESSAGE = b'{"ok":true,"result":{"message_id":%d}}'
_ME = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"Day","username":"day_bot"}}'


def replace_transports() -> None:
    """From here on nothing of this process reaches Telegram or Twilio. Raises nothing, answers at once."""
    AioRequest.ask = _ask  # type: ignore[method-assign]
    TwilioHttp.ask = _request  # type: ignore[method-assign]


async def _ask(self: Any, url: str, form: Mapping[str, str], total: float) -> tuple[int, bytes]:
    head, _, method = url.rpartition("/")
    if method != "sendMessage":
        return 200, _ME if method == "getMe" else b'{"ok":true,"result":true}'
    town = _served[int(head.rpartition("/bot")[2].partition(":")[0])]
    town.said.append(Spoken(int(form["chat_id"]), form["text"], form.get("reply_markup", ""), _urgent.get()))
    return 200, _MESSAGE % (len(town.said) + 1)


async def _request(
    self: Any, method: str, path: str, form: Mapping[str, object] | None = None
) -> Mapping[str, Any]:
    town = _served[int(self._base.rpartition("/AC")[2])]
    return town.carrier(method, f"/{path}", form or {})
