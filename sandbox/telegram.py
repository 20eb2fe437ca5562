"""The Telegram Bot API on loopback: methods under /bot<token>/, updates by webhook or by getUpdates.

Checks and answers as the real server does; each citizen is a `phone` that shows, says and taps.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.asked import Asked
from sandbox.lanes import Backoff, Lanes, Parcel
from sandbox.record import Record
from sandbox.standin import Answer, StandIn
from sandbox.telegram_methods import METHODS, Refusal
from sandbox.telegram_phone import TelegramPhone

FIRST_UPDATE = 700_000_001
A_DAY, A_TAP = 86_400.0, 150.0  # seconds that an update, a button press stays deliverable


class TelegramStandIn(StandIn):
    """`webhook` presets what setWebhook would; without one updates wait for getUpdates."""

    provider = "telegram"

    def __init__(
        self,
        token: str,
        secret: str = "",
        webhook: str = "",
        *,
        port: int = 0,
        record: Record | None = None,
        routes: Mapping[str, str] | None = None,
        backoff: Backoff | None = None,
        first_update: int | None = None,
    ) -> None:
        super().__init__(port=port, record=record, routes=routes)
        self.token = token
        self.secret = secret
        self.anybody = False  # whether a chat that never wrote has a phone as well
        self.webhook = webhook
        self.allowed_updates: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.phones: dict[int, TelegramPhone] = {}
        self.last_update: dict[str, Any] | None = None
        self.files: dict[str, bytes] = {}
        self.last_error = ""
        self.arrived = asyncio.Event()
        self.lanes = Lanes(
            self._deliver, self.spawn, lambda: bool(self.webhook), backoff or Backoff(), self.record.touch
        )
        self._next_update = FIRST_UPDATE if first_update is None else first_update

    @property
    def me(self) -> dict[str, Any]:
        """The bot itself, as getMe tells."""
        number = self.token.split(":")[0]
        return {
            "id": int(number) if number.isdigit() else 1,
            "is_bot": True,
            "first_name": "Limani",
            "username": "limani_sandbox_bot",
            "can_join_groups": False,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def phone(self, chat_id: int, first_name: str = "Maria", language_code: str = "el") -> TelegramPhone:
        """The phone of this citizen; the same object for the same chat."""
        if chat_id not in self.phones:
            self.phones[chat_id] = TelegramPhone(self, chat_id, first_name, language_code)
        return self.phones[chat_id]

    def public_path(self, path: str) -> str:
        """The token is a secret and stands in every path."""
        return path.replace(self.token, "<token>")

    def too_many(self, retry_after: float) -> web.Response:
        """429, with the pause in the body and in the header."""
        wait = max(1, round(retry_after))
        refusal = Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        return _refuse(refusal)

    async def handle(self, asked: Asked) -> web.Response:
        """One Bot API method, or one file."""
        _, prefix, *rest = asked.path.split("/")
        if prefix == "file":
            return self._file(rest)
        if prefix != f"bot{self.token}":
            shaped = prefix.startswith("bot") and ":" in prefix
            return _refuse(Refusal(401, "Unauthorized") if shaped else Refusal(404, "Not Found"))
        try:
            return web.json_response({"ok": True, "result": await self.call("/".join(rest), asked.params)})
        except Refusal as refusal:
            return _refuse(refusal)

    async def call(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a Bot API method; raises Refusal."""
        work = {name.lower(): work for name, work in METHODS.items()}.get(method.lower())
        if work is None:
            raise Refusal(404, "Not Found")
        return await work(self, {name: _decoded(name, value) for name, value in params.items()})

    def post(self, kind: str, content: dict[str, Any], key: tuple[str, str]) -> Parcel:
        """A new update of this kind ("message", "callback_query", ...) in its lane."""
        return self.post_raw({kind: content}, key, A_TAP if kind == "callback_query" else A_DAY)

    def post_raw(self, update: dict[str, Any], key: tuple[str, str], expires_after: float = A_DAY) -> Parcel:
        """An update as it stands; gets the next update_id unless it brings one."""
        number = update.get("update_id", self._next_update)
        self._next_update = max(self._next_update, number) + 1
        parcel = Parcel(number, key, {"update_id": number, **update}, expires_after)
        self.last_update = parcel.payload
        self.lanes.put(parcel)
        self.arrived.set()
        return parcel

    async def start(self) -> TelegramStandIn:
        """Listen, and go on delivering what waits."""
        await super().start()
        self.lanes.pump()
        return self

    async def _deliver(self, parcel: Parcel) -> Answer:
        body = json.dumps(parcel.payload, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        answer = await self.send(self.webhook, body, headers, timeout=60)
        self.last_error = "" if answer.ok else f"Wrong response from the webhook: {answer.status}"
        if answer.ok:
            await self._reply_in_webhook(answer)
        return answer

    async def _reply_in_webhook(self, answer: Answer) -> None:
        """A webhook may answer with a method to run; its result is told to nobody."""
        try:
            wish = json.loads(answer.body)
        except ValueError:
            return
        if isinstance(wish, dict) and isinstance(wish.get("method"), str):
            method = wish.pop("method")
            try:
                await self.call(method, wish)
            except Refusal as refusal:
                self.happened("reply_refused", "", method=method, why=refusal.description)

    def _file(self, rest: list[str]) -> web.Response:
        data = self.files.get(rest[-1]) if rest and rest[0] == f"bot{self.token}" else None
        return web.Response(status=404) if data is None else web.Response(body=data)


def _refuse(refusal: Refusal) -> web.Response:
    content: dict[str, Any] = {
        "ok": False,
        "error_code": refusal.code,
        "description": refusal.description,
    }
    headers = {}
    if refusal.parameters:
        content["parameters"] = refusal.parameters
        headers = {"Retry-After": str(refusal.parameters.get("retry_after", 0))}
    return web.json_response(content, status=refusal.code, headers=headers)


def _decoded(name: str, value: Any) -> Any:
    """Objects and lists travel as JSON text inside a form."""
    if isinstance(value, str) and name not in ("text", "caption") and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(400, f"Bad Request: can't parse {name} JSON object") from None
    return value
