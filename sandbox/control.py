"""A small HTTP door to the phones, for when the stand-ins run in a process of their own.

POST /control/<provider>/<act> {"phone": ..., arguments}: what a test in the same process calls as a method.
A condition that is not met in time is 409 with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.faults import Fault
from sandbox.screen import Button, Shown
from sandbox.standin import StandIn
from sandbox.telegram import TelegramStandIn
from sandbox.twilio import TwilioStandIn
from sandbox.twilio_call import Call
from sandbox.twilio_phone import Sms
from sandbox.viber import ViberStandIn

CITIZEN_ACTS = {
    "starts",
    "says",
    "taps",
    "taps_data",
    "edits",
    "shares_location",
    "shares_contact",
    "sends_photo",
    "sends_document",
    "sends_voice",
    "sends_sticker",
    "blocks",
    "unblocks",
    "opens",
    "subscribes",
    "reads",
    "posts",
    "expects",
}
PHONE_ACTS = {
    "rings",
    "busy",
    "declines",
    "fails",
    "no_answer",
    "voicemail",
    "dials",
    "texts",
    "expects_sms",
}
CALL_ACTS = {"pick_up", "presses", "presses_announced_key", "silence", "hang_up", "connection_ends"}


class Control:
    """The door over any of the three stand-ins; `app` is its application."""

    def __init__(self, stand_ins: Mapping[str, StandIn]) -> None:
        self.stand_ins = stand_ins
        self.app = web.Application()
        self.app.router.add_post("/control/{provider}/{act}", self._act)
        self.app.router.add_get("/control/events", self._events)
        self.app.router.add_get("/control/requests", self._requests)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.read() or b"{}")
            stand_in = self.stand_ins[request.match_info["provider"]]
            return web.json_response(as_json(await self._do(stand_in, request.match_info["act"], wish)))
        except AssertionError as error:
            return web.json_response({"error": str(error)}, status=409)
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def _do(self, stand_in: StandIn, act: str, wish: dict[str, Any]) -> Any:
        match act:
            case "faults":
                match, times = wish.pop("match"), wish.pop("times", 1)
                return stand_in.faults.add(match, Fault(**wish), times)
            case "screen":
                return screen_of(stand_in, wish)
            case "line" if isinstance(stand_in, TwilioStandIn):
                return stand_in.line(**wish)
            case "behaviour" if isinstance(stand_in, TwilioStandIn):
                stand_in.phone(wish["phone"]).behaviour = wish["behaviour"]
                return None
            case _ if isinstance(stand_in, TwilioStandIn):
                return await _telephone(stand_in, act, wish)
            case _ if act in CITIZEN_ACTS:
                return await getattr(phone_of(stand_in, wish), act)(**wish)
        raise KeyError(act)

    async def _events(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        return web.json_response(self._any().record.events[after:])

    async def _requests(self, request: web.Request) -> web.Response:
        found = self._any().record.requests(request.query.get("provider"), request.query.get("path"))
        shown = [{"at": r.at, "provider": r.provider, "path": r.path, "params": r.params} for r in found]
        return web.json_response(shown)

    def _any(self) -> StandIn:
        return next(iter(self.stand_ins.values()))


async def _telephone(twilio: TwilioStandIn, act: str, wish: dict[str, Any]) -> Any:
    phone = twilio.phone(wish.pop("phone"))
    if act in PHONE_ACTS:
        return await getattr(phone, act)(**wish)
    if act not in CALL_ACTS:
        raise KeyError(act)
    call = next((call for call in reversed(phone.calls) if not call.over), None)
    assert call is not None, "no call on this phone"
    return await getattr(call, act)(**wish)


def phone_of(stand_in: StandIn, wish: dict[str, Any]) -> Any:
    """The citizen's phone that a wish names; takes the naming parts out of the wish."""
    who = wish.pop("phone")
    about = [wish.pop("name", "Maria"), wish.pop("language", "el")]
    if isinstance(stand_in, TelegramStandIn):
        return stand_in.phone(int(who), *about)
    assert isinstance(stand_in, ViberStandIn), "citizens have Telegram or Viber"
    return stand_in.phone(str(who), *about)


def screen_of(stand_in: StandIn, wish: dict[str, Any]) -> Any:
    """What a phone shows: messages, or for a telephone its SMS and calls."""
    if isinstance(stand_in, TwilioStandIn):
        phone = stand_in.phone(wish["phone"])
        return {"sms": phone.sms, "calls": phone.calls}
    return list(phone_of(stand_in, wish).screen)


def as_json(value: Any) -> Any:
    """A result of an act, ready for JSON."""
    if isinstance(value, Shown | Call | Sms):
        return value.as_json()
    if isinstance(value, Button):
        return {"label": value.label, "url": value.url}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    return value
