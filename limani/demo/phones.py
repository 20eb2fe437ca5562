"""The simulated phones as the page shows and works them: two messengers, and those of whoever is on call.

Everything a visitor does here goes out of a stand-in as the real provider's HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.screen import Button
from sandbox.telegram import TelegramStandIn
from sandbox.telegram_phone import TelegramPhone
from sandbox.twilio import TwilioStandIn
from sandbox.twilio_call import Call
from sandbox.viber import ViberStandIn
from sandbox.viber_phone import ViberPhone

_SHOWN = 80  # messages on a screen
_TEXTS = 5  # SMS on a phone


class NoSuchAct(Exception):
    """What the page asked for cannot be done with that phone now."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody of the roster with a phone."""

    key: str
    name: str
    number: str
    role: str


@dataclass(slots=True)
class Phones:
    """All phones of the demo. `citizen` numbers the person who holds the citizen's phone."""

    telegram: TelegramStandIn
    viber: ViberStandIn
    twilio: TwilioStandIn
    people: Mapping[str, OnCall]
    citizen: int
    language: str = "el"

    def snapshot(self) -> dict[str, Any]:
        """What every phone shows now."""
        return {
            "telegram": _screen(self._on_telegram()),
            "viber": _screen(self._on_viber()),
            "oncall": [self._on_call(person) for person in self.people.values()],
        }

    def someone_else(self, language: str) -> None:
        """Another citizen takes the phone in hand: a fresh chat in both messengers."""
        self.citizen += 1
        self.language = language

    async def citizen_does(self, channel: str, act: str, words: str) -> None:
        """say, tap, place, photo or open, on one of the messengers. Raises NoSuchAct."""
        if channel not in ("telegram", "viber"):
            raise NoSuchAct
        phone = self._on_telegram() if channel == "telegram" else self._on_viber()
        try:
            await _act(phone, act, words)
        except AssertionError:
            raise NoSuchAct from None  # the button is not on the screen any more

    def responder_does(self, key: str, act: str, words: str) -> None:
        """pick_up, decline, voicemail, key or hang_up. Raises NoSuchAct."""
        person = self.people.get(key)
        call = self._call(person) if person else None
        if call is None or call.over:
            raise NoSuchAct
        if act == "pick_up" and call.status == "ringing":
            self.twilio.spawn(_forget(call.pick_up()))
        elif act == "decline" and call.status == "ringing":
            call.finish("busy")
        elif act == "voicemail" and call.status == "ringing":
            self.twilio.spawn(call.voicemail())
        elif act == "key" and call.status == "in-progress" and words in tuple("0123456789*#"):
            self.twilio.spawn(_forget(call.presses(words)))
        elif act == "hang_up":
            self.twilio.spawn(call.hang_up())
        else:
            raise NoSuchAct

    def _on_telegram(self) -> TelegramPhone:
        return self.telegram.phone(self.citizen, "Μαρία", self.language)

    def _on_viber(self) -> ViberPhone:
        return self.viber.phone(f"demo-{self.citizen}=", "Μαρία", self.language)

    def _call(self, person: OnCall) -> Call | None:
        """The newest call of a phone: one that rings before one that is over."""
        calls = self.twilio.phone(person.number).calls
        living = [call for call in calls if not call.over]
        return (living or calls or [None])[-1]  # type: ignore[list-item]

    def _on_call(self, person: OnCall) -> dict[str, Any]:
        call = self._call(person)
        texts = self.twilio.phone(person.number).sms[-_TEXTS:]
        return {
            "key": person.key,
            "name": person.name,
            "role": person.role,
            "call": _call(call) if call is not None else None,
            "sms": [{"id": sms.sid, "text": sms.body, "at": round(sms.created_at * 1000)} for sms in texts],
        }


async def _forget(work: Any) -> None:
    """Awaits something whose answer nobody needs."""
    await work


async def _act(phone: TelegramPhone | ViberPhone, act: str, words: str) -> None:
    if act == "say" and words.strip():
        await phone.says(words, wait=False)
    elif act == "tap":
        await phone.taps(words)
    elif act == "open":
        await phone.starts()
    elif act == "place":
        await phone.shares_location(35.3387, 25.1442)
    elif act == "photo":
        await phone.sends_photo(words)
    else:
        raise NoSuchAct


def _screen(phone: TelegramPhone | ViberPhone) -> dict[str, Any]:
    return {
        "items": [shown.as_json() for shown in phone.screen[-_SHOWN:]],
        "keyboard": [[_button(button) for button in row] for row in phone.keyboard],
    }


def _button(button: Button) -> dict[str, str]:
    return {"label": button.label, "url": button.url, "type": button.kind}


def _call(call: Call) -> dict[str, Any]:
    return {
        "id": call.sid,
        "status": call.status,
        "from": call.sender,
        "answered": round(call.answered_at * 1000) if call.answered_at else None,
        "ended": round(call.ended_at * 1000) if call.ended_at else None,
        "listening": call.listening,
        "words": [
            {"text": words.text, "language": words.language, "kind": words.kind} for words in call.heard
        ],
        "pressed": "".join(call.pressed),
    }
