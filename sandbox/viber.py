"""Viber's REST bot API on loopback: six calls in, signed callbacks out, HTTP 200 whatever happens.

Failures are a `status` in the JSON; ids of messages are 19 digits long, as the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.asked import Asked
from sandbox.lanes import Backoff, Lanes, Parcel
from sandbox.record import Record
from sandbox.standin import Answer, StandIn
from sandbox.viber_checks import Refusal, bad, check_message
from sandbox.viber_phone import ViberPhone
from sandbox.viber_sign import signature

FIRST_TOKEN = 5_741_311_803_571_721_001
AN_HOUR = 3600.0  # seconds that Viber goes on trying
OPTIONAL_EVENTS = {"delivered", "seen", "failed", "conversation_started"}
BROADCAST_LIMIT = 300


class ViberStandIn(StandIn):
    """`webhook` presets what set_webhook would. Receipts (delivered) come by themselves unless turned off."""

    provider = "viber"

    def __init__(
        self,
        token: str,
        webhook: str = "",
        *,
        port: int = 0,
        record: Record | None = None,
        routes: Mapping[str, str] | None = None,
        backoff: Backoff | None = None,
        receipts: bool = True,
        first_token: int | None = None,
    ) -> None:
        super().__init__(port=port, record=record, routes=routes)
        self.token = token
        self.webhook = webhook
        self.anybody = False  # whether a citizen who never wrote has a phone as well
        self.event_types: set[str] = set(OPTIONAL_EVENTS)
        self.receipts = receipts
        self.phones: dict[str, ViberPhone] = {}
        default = Backoff(pauses=(5, 60, 300, 900, 1800), endless=False)
        self.lanes = Lanes(
            self._deliver, self.spawn, lambda: bool(self.webhook), backoff or default, self.record.touch
        )
        self._next_token = FIRST_TOKEN if first_token is None else first_token
        self._next_parcel = 0

    def phone(self, user_id: str, name: str = "Maria", language: str = "el") -> ViberPhone:
        """The phone of this citizen; the same object for the same id."""
        if user_id not in self.phones:
            self.phones[user_id] = ViberPhone(self, user_id, name, language)
        return self.phones[user_id]

    def new_token(self) -> int:
        """The next message_token."""
        self._next_token += 1
        return self._next_token

    def too_many(self, retry_after: float) -> web.Response:
        """Status 12, without any hint when to come back."""
        return _answer(12, "tooManyRequests")

    async def handle(self, asked: Asked) -> web.Response:
        """One call of the REST API."""
        calls: dict[str, Callable[[Asked], Awaitable[web.Response]]] = {
            "send_message": self._send_message,
            "broadcast_message": self._broadcast,
            "set_webhook": self._set_webhook,
            "get_account_info": self._account_info,
            "get_user_details": self._user_details,
        }
        call = calls.get(asked.path.rsplit("/", 1)[-1])
        if call is None:
            return web.Response(status=404)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        try:
            if asked.broken:
                raise bad("the request is not valid JSON")
            if headers.get("x-viber-auth-token", asked.params.get("auth_token")) != self.token:
                raise Refusal(2, "invalidAuthToken")
            return await call(asked)
        except Refusal as refusal:
            return _answer(refusal.status, refusal.message)

    def post(self, event: str, user_id: str, /, **content: Any) -> Parcel:
        """A callback of this kind in the citizen's lane."""
        body = {"event": event, "timestamp": int(self.record.clock() * 1000), "chat_hostname": "SN-CHAT"}
        token = content.pop("message_token", None) or self.new_token()
        return self.post_raw({**body, "message_token": token, **content}, user_id)

    def post_raw(self, body: dict[str, Any], user_id: str) -> Parcel:
        """A callback as it stands, signed."""
        self._next_parcel += 1
        parcel = Parcel(self._next_parcel, ("user", user_id), body, AN_HOUR)
        if self.webhook:
            self.lanes.put(parcel)
        else:
            parcel.tried.set()
        return parcel

    async def start(self) -> ViberStandIn:
        """Listen, and go on delivering what waits."""
        await super().start()
        self.lanes.pump()
        return self

    async def _deliver(self, parcel: Parcel) -> Answer:
        return await self._post_signed(self.webhook, parcel.payload)

    async def _post_signed(self, url: str, content: dict[str, Any]) -> Answer:
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Viber-Content-Signature": signature(self.token, body),
        }
        return await self.send(url, body, headers)

    async def _send_message(self, asked: Asked) -> web.Response:
        receiver = asked.text("receiver")
        if not receiver:
            raise Refusal(4, "missing receiver")
        buttons = check_message(asked.params, asked.size)
        phone = self._subscriber(receiver)
        phone.takes_version(int(asked.params.get("min_api_version", 1)))
        token = self.new_token()
        shown = phone.show(asked.params, buttons, token)
        asked.afterwards.append(lambda: phone.send_receipt(shown))
        return _answer(0, "ok", message_token=token, billing_status=1)

    def _subscriber(self, user_id: str) -> ViberPhone:
        if not self.webhook:
            raise Refusal(10, "webhookNotSet")
        if user_id not in self.phones and self.anybody:
            self.phone(user_id).subscribed = True
        if user_id not in self.phones:
            raise Refusal(5, "receiverNotRegistered")
        phone = self.phones[user_id]
        if not phone.may_be_written_to:
            raise Refusal(6, "receiverNotSubscribed")
        return phone

    async def _broadcast(self, asked: Asked) -> web.Response:
        receivers = asked.params.get("broadcast_list")
        if not isinstance(receivers, list) or not receivers or len(receivers) > BROADCAST_LIMIT:
            raise bad(f"broadcast_list must have 1 to {BROADCAST_LIMIT} receivers")
        buttons, token = check_message(asked.params, asked.size), self.new_token()
        failed = []
        for receiver in receivers:
            try:
                shown = self._subscriber(str(receiver)).show(asked.params, buttons, token)
            except Refusal as refusal:
                failed.append(
                    {"receiver": receiver, "status": refusal.status, "status_message": refusal.message}
                )
                continue
            asked.afterwards.append(_receipt(self.phones[str(receiver)], shown))
        return _answer(0, "ok", message_token=token, failed_list=failed)

    async def _set_webhook(self, asked: Asked) -> web.Response:
        url = asked.text("url")
        if not url:
            self.webhook = ""
            return _answer(0, "ok", event_types=[])
        hello = {"event": "webhook", "timestamp": int(self.record.clock() * 1000)}
        if not (await self._post_signed(url, {**hello, "message_token": self.new_token()})).ok:
            raise Refusal(1, "invalidUrl")
        wanted = asked.params.get("event_types")
        self.webhook = url
        self.event_types = set(wanted) if isinstance(wanted, list) else set(OPTIONAL_EVENTS)
        self.lanes.pump()
        kinds = self.event_types | {"message", "subscribed", "unsubscribed"}
        return _answer(0, "ok", event_types=sorted(kinds))

    async def _account_info(self, asked: Asked) -> web.Response:
        return _answer(
            0,
            "ok",
            id="pa:5000000000000000001",
            name="Limani",
            uri="limani-sandbox",
            webhook=self.webhook,
            event_types=sorted(self.event_types),
            subscribers_count=sum(phone.subscribed for phone in self.phones.values()),
        )

    async def _user_details(self, asked: Asked) -> web.Response:
        phone = self.phones.get(asked.text("id"))
        if phone is None:
            raise Refusal(5, "receiverNotRegistered")
        user = {**phone.user, "primary_device_os": "android 14", "device_type": "phone"}
        return _answer(0, "ok", message_token=self.new_token(), user=user)


def _receipt(phone: ViberPhone, shown: Any) -> Callable[[], None]:
    return lambda: phone.send_receipt(shown)


def _answer(status: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"status": status, "status_message": message, **more})
