"""Twilio's REST API for calls and messages on loopback, with simulated phones at the other end.

Answers, error codes, signed webhooks and their order follow the real service.
"""

from __future__ import annotations

import base64
import hmac
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

from sandbox.asked import Asked
from sandbox.record import Record
from sandbox.standin import Answer, StandIn
from sandbox.twilio_call import Call
from sandbox.twilio_hooks import ask
from sandbox.twilio_orders import Order, order_of
from sandbox.twilio_phone import Sms, TwilioPhone
from sandbox.twilio_player import Fetch
from sandbox.twilio_resources import (
    BODY_LIMIT,
    VERSION,
    Refusal,
    call_json,
    check_address,
    check_numbers,
    message_json,
    refuse,
    rfc2822,
)
from sandbox.twiml import TwimlError, parse

ROUTE = re.compile(
    rf"/{VERSION}/Accounts/(?P<account>[^/]+)/(?P<kind>Calls|Messages)(?:/(?P<sid>[^/]+))?\.json"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the product and its own webhooks."""

    voice_url: str = ""
    sms_url: str = ""
    status_url: str = ""

    def voice_order(self) -> Order:
        """What an inbound call plays."""
        return Order(url=self.voice_url, status_url=self.status_url)


class TwilioStandIn(StandIn):
    """`seconds` is the length of one of Twilio's seconds in real ones; None: time moves by hand only."""

    provider = "twilio"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        port: int = 0,
        record: Record | None = None,
        routes: Mapping[str, str] | None = None,
        seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(port=port, record=record, routes=routes)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.seconds = seconds
        self.phones: dict[str, TwilioPhone] = {}
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Sms] = {}
        self.lines: dict[str, Line] = {}
        self._chance = random.Random(seed)

    def phone(self, number: str) -> TwilioPhone:
        """The phone with this number; the same object for the same number."""
        if number not in self.phones:
            self.phones[number] = TwilioPhone(self, number)
        return self.phones[number]

    def line(self, number: str, voice_url: str = "", sms_url: str = "", status_url: str = "") -> None:
        """Give a number of the product its webhooks, as the Twilio console does."""
        self.lines[number] = Line(voice_url, sms_url, status_url)

    def too_many(self, retry_after: float) -> web.Response:
        """429; such a request was never processed."""
        return refuse(Refusal(429, 20429, "Too Many Requests"))

    def timestamp(self) -> str:
        """Now, as status callbacks write it."""
        return rfc2822(self.record.clock()) or ""

    async def ask(self, url: str, params: Mapping[str, str], method: str = "POST") -> Answer:
        """A signed webhook request."""
        return await ask(self, self.auth_token, url, params, method)

    async def handle(self, asked: Asked) -> web.Response:
        """One REST request."""
        try:
            return self._served(asked)
        except Refusal as refusal:
            return refuse(refusal)

    def _served(self, asked: Asked) -> web.Response:
        if not self._authorised(asked):
            raise Refusal(401, 20003, "Authenticate")
        route = ROUTE.fullmatch(asked.path)
        if route is None or route["account"] != self.account_sid:
            raise Refusal(404, 20404, f"The requested resource {asked.path} was not found")
        match (route["kind"], asked.method, route["sid"]):
            case ("Calls", "POST", None):
                return web.json_response(self._place_call(asked), status=201)
            case ("Calls", "POST", sid):
                return web.json_response(self._change_call(self._call(sid), asked))
            case ("Calls", "GET", None):
                return web.json_response(self._list("calls", asked, self.calls.values(), call_json))
            case ("Calls", "GET", sid):
                return web.json_response(call_json(self._call(sid)))
            case ("Messages", "POST", None):
                return web.json_response(self._send_sms(asked), status=201)
            case ("Messages", "GET", None):
                return web.json_response(self._list("messages", asked, self.messages.values(), message_json))
            case ("Messages", "GET", sid) if sid in self.messages:
                return web.json_response(message_json(self.messages[sid]))
        raise Refusal(404, 20404, f"The requested resource {asked.path} was not found")

    def _authorised(self, asked: Asked) -> bool:
        header = next((v for k, v in asked.headers.items() if k.lower() == "authorization"), "")
        good = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        return hmac.compare_digest(header.encode(), f"Basic {good}".encode())

    def _call(self, sid: str | None) -> Call:
        if sid not in self.calls:
            raise Refusal(404, 20404, f"The requested resource Calls/{sid}.json was not found")
        return self.calls[sid]

    def new_call(
        self,
        sender: str,
        to: str,
        order: Order,
        direction: Literal["outbound-api", "inbound"] = "outbound-api",
    ) -> Call:
        """A call that exists and does not ring yet."""
        call = Call(self, self._sid("CA"), to, sender, order, direction, created_at=self.record.clock())
        self.calls[call.sid] = call
        return call

    def _place_call(self, asked: Asked) -> dict[str, Any]:
        to, sender = asked.text("To"), asked.text("From")
        check_numbers(to, sender, 21213)
        call = self.new_call(sender, to, order_of(asked))
        asked.afterwards.append(lambda: self.phone(to).ring(call))
        return call_json(call)

    def _change_call(self, call: Call, asked: Asked) -> dict[str, Any]:
        if call.over:
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        wish = asked.text("Status")
        if wish not in ("", "completed", "canceled"):
            raise Refusal(400, 20001, f"Parameter Status is invalid: {wish}")
        if wish == "canceled" and call.status in ("queued", "ringing"):
            call.finish("canceled", by="product")
        elif wish == "completed":
            call.finish("completed" if call.answered_at else "canceled", by="product")
        elif asked.text("Url") or asked.text("Twiml"):
            self._redirect(call, asked)
        return call_json(call)

    def _redirect(self, call: Call, asked: Asked) -> None:
        if call.status != "in-progress":
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        order = order_of(asked)
        asked.afterwards.append(lambda: call.play(Fetch(order.url, order.method, {}, order.twiml)))

    def _send_sms(self, asked: Asked) -> dict[str, Any]:
        to, sender, body = asked.text("To"), asked.text("From"), asked.text("Body")
        service = asked.text("MessagingServiceSid")
        check_numbers(to, sender or ("LIMANI" if service else ""), 21603, alphanumeric=True)
        if not body:
            raise Refusal(400, 21602, "Message body is required.")
        if len(body) > BODY_LIMIT:
            raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if asked.text("StatusCallback"):
            check_address(asked.text("StatusCallback"), 21609, "StatusCallback")
        if self.phone(to).stopped:
            raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
        sms = self._new_sms(to, sender, body)
        sms.status_url, sms.service_sid = asked.text("StatusCallback"), service
        resource = message_json(sms)
        asked.afterwards.append(lambda: self._arrive(sms))
        return resource

    def _new_sms(self, to: str, sender: str, body: str) -> Sms:
        sms = Sms(self._sid("SM"), self.account_sid, to, sender, body, self.record.clock())
        self.messages[sms.sid] = sms
        return sms

    def _arrive(self, sms: Sms) -> None:
        phone = self.phone(sms.to)
        if phone.sms_behaviour == "delivered":
            phone.sms.append(sms)
            self.happened("sms", sms.to, sid=sms.sid, text=sms.body, segments=sms.segments)
        self.spawn(self._tell_sms(sms, phone.sms_behaviour))

    async def _tell_sms(self, sms: Sms, behaviour: str) -> None:
        later = {"delivered": "delivered", "undelivered": "undelivered"}.get(behaviour)
        for status in ("sent", later):
            if status is None:
                return
            sms.status = status
            sms.error_code = 30003 if status == "undelivered" else None
            self.happened("sms_status", sms.to, sid=sms.sid, status=status)
            if sms.status_url:
                await self.ask(sms.status_url, _receipt(sms))

    async def receive_sms(self, phone: TwilioPhone, body: str, to: str) -> Sms:
        """For the phone: a text to one of the product's numbers, and the replies in its TwiML."""
        sms = self._new_sms(to, phone.number, body)
        sms.direction, sms.status = "inbound", "received"
        self.happened("texted", phone.number, sid=sms.sid, text=body)
        answer = await self.ask(self.lines[to].sms_url, {**_receipt(sms), "Body": body, "NumMedia": "0"})
        if answer.ok and answer.body.strip():
            self._text_back(answer, phone.number, to)
        return sms

    def _text_back(self, answer: Answer, to: str, sender: str) -> None:
        try:
            verbs = parse(answer.body).verbs
        except TwimlError as error:
            self.happened("twiml_error", to, code=error.code)
            return
        for verb in verbs:
            if verb.name == "Message" and verb.text:
                self._arrive(self._new_sms(to, sender, verb.text))

    def _list(self, name: str, asked: Asked, things: Any, as_json: Any) -> dict[str, Any]:
        """Newest first, by To, From, Status and (calls) the day of StartTime; one page."""
        chosen = [
            thing
            for thing in things
            if asked.text("To") in ("", thing.to)
            and asked.text("From") in ("", thing.sender)
            and asked.text("Status") in ("", thing.status)
            and _in_days(asked, thing.created_at)
        ]
        size = int(asked.text("PageSize") or 50)
        page = [as_json(thing) for thing in chosen[::-1][:size]]
        uri = f"{asked.path}?PageSize={size}&Page=0"
        places = {"uri": uri, "first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None}
        return {name: page, "page": 0, "page_size": size, "start": 0, "end": max(len(page) - 1, 0), **places}

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self._chance.getrandbits(128):032x}"


def _in_days(asked: Asked, at: float) -> bool:
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    exact, earliest, latest = (asked.text(f"StartTime{sign}")[:10] for sign in ("", ">", "<"))
    return exact in ("", day) and (not earliest or day >= earliest) and (not latest or day <= latest)


def _receipt(sms: Sms) -> dict[str, str]:
    params = {
        "MessageSid": sms.sid,
        "SmsSid": sms.sid,
        "MessageStatus": sms.status,
        "SmsStatus": sms.status,
        "To": sms.to,
        "From": sms.sender,
        "AccountSid": sms.account_sid,
        "ApiVersion": VERSION,
    }
    return params if sms.error_code is None else {**params, "ErrorCode": str(sms.error_code)}
