"""The citizen's hand in a transcript: the same few gestures on every channel."""

from __future__ import annotations

import json
from typing import Protocol

import aiohttp

from sandbox import TelegramStandIn, ViberStandIn
from sandbox.telegram_phone import TelegramPhone
from sandbox.viber_phone import ViberPhone

_CHAT = 690001


class Phone(Protocol):
    """What a citizen can do."""

    async def does(self, verb: str, text: str) -> None:
        """One gesture of the transcript language."""
        ...

    async def close(self) -> None:
        """Puts the phone away."""
        ...


class OnMessenger:
    """What a citizen does alike on Telegram and on Viber."""

    def __init__(self, phone: TelegramPhone | ViberPhone) -> None:
        self._phone = phone

    async def does(self, verb: str, text: str) -> None:
        phone = self._phone
        match verb:
            case "says":
                await phone.says(text)
            case "taps":
                await phone.taps(text)
            case "photo":
                await phone.sends_photo(text)
            case "sticker":
                await phone.sends_sticker()
            case "location":
                await phone.shares_location(*_place(text))
            case "contact":
                await phone.shares_contact(text)
            case "blocks":
                await phone.blocks()
            case _:
                await self.does_its_own(verb, text)

    async def does_its_own(self, verb: str, text: str) -> None:
        """A gesture that only one of them has."""
        phone = self._phone
        match verb, phone:
            case "opens", ViberPhone():
                await phone.opens(text)
            case "opens", TelegramPhone():
                await phone.starts(text)
            case "file", TelegramPhone():
                await phone.sends_document(text)
            case "voice", TelegramPhone():
                await phone.sends_voice()
            case "edits", TelegramPhone():
                last = next(shown for shown in reversed(phone.screen) if shown.by == "citizen")
                await phone.edits(last.message_id, text)
            case _:
                raise ValueError(f"nobody can do this on that messenger: {verb}")

    async def close(self) -> None:
        return


class OnWeb:
    """A citizen with the web chat, over its real HTTP."""

    def __init__(self, base: str, language: str) -> None:
        self._base = base
        self._http = aiohttp.ClientSession(
            base, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": base}
        )
        self._language = language
        self._count = 0

    async def does(self, verb: str, text: str) -> None:
        self._count += 1
        mark = f"transcript-{self._count}"
        match verb:
            case "opens":
                await self._post("/chat/open", {})
            case "says":
                await self._post("/chat/messages", {"text": text, "id": mark})
            case "taps":
                await self._post("/chat/taps", {"button": await self._button(text), "id": mark})
            case "location":
                latitude, longitude = _place(text)
                await self._post("/chat/place", {"latitude": latitude, "longitude": longitude, "id": mark})
            case _:
                raise ValueError(f"nobody can do this in the web chat: {verb}")

    async def close(self) -> None:
        await self._http.close()

    async def _open(self) -> None:
        async with self._http.get("/chat/", params={"lang": self._language}) as answer:
            answer.raise_for_status()

    async def _post(self, path: str, body: dict[str, object]) -> None:
        if self._count == 1:
            await self._open()
        async with self._http.post(path, json=body) as answer:
            if answer.status >= 300:
                raise RuntimeError(f"{path} answered {answer.status}")

    async def _button(self, label: str) -> str:
        """The newest button with this label, from the stream of what the page shows."""
        found = None
        async with self._http.get("/chat/events", timeout=aiohttp.ClientTimeout(total=2)) as stream:
            try:
                async for line in stream.content:
                    if line.startswith(b"data:"):
                        shown = json.loads(line[5:])
                        found = _token(shown, label) or found
            except TimeoutError:
                pass
        if found is None:
            raise LookupError(f"the web chat shows no button {label}")
        return found


def _token(shown: object, label: str) -> str | None:
    buttons = shown.get("buttons", []) if isinstance(shown, dict) else []
    return next((token for token, words in buttons if words == label), None)


def _place(text: str) -> tuple[float, float]:
    latitude, _, longitude = text.partition(",")
    return float(latitude), float(longitude)


async def make_phone(
    channel: str, language: str, telegram: TelegramStandIn, viber: ViberStandIn, public_url: str
) -> Phone:
    """The citizen's phone for a channel: telegram, viber or web."""
    match channel:
        case "telegram":
            return OnMessenger(telegram.phone(_CHAT, "Maria", language))
        case "viber":
            return OnMessenger(viber.phone("bWFyaWE=", "Maria", language))
        case "web":
            return OnWeb(public_url, language)
    raise ValueError(f"there is no channel {channel}")
