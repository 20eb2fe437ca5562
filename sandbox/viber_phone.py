"""A citizen's phone with Viber on it: what it shows, and what its owner does.

The acts are those of the Telegram phone, without edits, which Viber does not tell to bots.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.screen import Button, Screen, Shown, expect
from sandbox.viber_checks import Refusal, check_message

if TYPE_CHECKING:
    from sandbox.lanes import Parcel
    from sandbox.viber import ViberStandIn

PHOTO_URL = "https://dl-media.viber.example/synthetic.jpg"


class ViberPhone:
    """One 1:1 chat between a citizen and the bot."""

    def __init__(self, viber: ViberStandIn, user_id: str, name: str, language: str) -> None:
        self.viber = viber
        self.user_id = user_id
        self.name = name
        self.language = language
        self.api_version = 10
        self.screen = Screen()
        self.keyboard: list[list[Button]] = []
        self.tracking_data = ""
        self.subscribed = False
        self.welcome_allowed = False
        self._failure = ""

    @property
    def user(self) -> dict[str, Any]:
        """The citizen as callbacks describe them."""
        return {
            "id": self.user_id,
            "name": self.name,
            "language": self.language,
            "country": "GR",
            "api_version": self.api_version,
        }

    @property
    def may_be_written_to(self) -> bool:
        """Subscribers, and once somebody who has just opened the chat."""
        return self.subscribed or self.welcome_allowed

    async def opens(self, context: str = "") -> None:
        """Open the chat (perhaps by a deep link); the callback's answer may carry one welcome message."""
        self.welcome_allowed = True
        started = {"type": "open", "context": context, "user": self.user, "subscribed": self.subscribed}
        parcel = self.viber.post("conversation_started", self.user_id, **started)
        await parcel.tried.wait()
        if parcel.answer is not None and parcel.answer.ok:
            self._welcome(parcel.answer.body)

    async def starts(self, payload: str = "") -> None:
        """The same word as on Telegram: open the chat."""
        await self.opens(payload)

    async def subscribes(self) -> None:
        """Subscribe without writing."""
        self.subscribed = True
        await self._settled(self.viber.post("subscribed", self.user_id, user=self.user))

    async def says(self, text: str, wait: bool = True) -> Shown:
        """Write a text; who writes is a subscriber from then on."""
        return await self._message("text", text, {"text": text}, wait=wait)

    async def taps(self, label: str) -> Button:
        """Tap a button of the keyboard that is shown; AssertionError when there is none."""
        buttons = [button for row in self.keyboard for button in row]
        exact = [button for button in buttons if button.label == label]
        near = [button for button in buttons if label in button.label]
        assert exact or near, f"no button {label!r}; the screen shows:\n{self.screen}"
        button = (exact or near)[0]
        self.viber.happened("tapped", self.user_id, label=button.label)
        if button.kind == "location":
            await self.shares_location(35.3387, 25.1442)
        elif button.kind == "contact":
            await self.shares_contact("+306900000099")
        elif button.kind == "tap" and button.data:
            await self._message("text", button.label, {"text": button.data})
        return button

    async def shares_location(self, latitude: float, longitude: float) -> Shown:
        """Send a place."""
        return await self._message("location", "", {"location": {"lat": latitude, "lon": longitude}})

    async def shares_contact(self, phone_number: str) -> Shown:
        """Send a contact."""
        contact = {"name": self.name, "phone_number": phone_number}
        return await self._message("contact", "", {"contact": contact})

    async def sends_photo(self, caption: str = "") -> Shown:
        """Send a picture with a text."""
        media = {"text": caption, "media": PHOTO_URL, "file_name": "synthetic.jpg"}
        return await self._message("picture", caption, media)

    async def sends_sticker(self, sticker_id: int = 40133) -> Shown:
        """Send a sticker."""
        return await self._message("sticker", "", {"sticker_id": sticker_id})

    async def blocks(self) -> None:
        """Unsubscribe: sends are refused with status 6 from now on."""
        self.subscribed = self.welcome_allowed = False
        self.viber.happened("blocked", self.user_id)
        await self._settled(self.viber.post("unsubscribed", self.user_id, user_id=self.user_id))

    async def unblocks(self) -> None:
        """Subscribe again."""
        self.viber.happened("unblocked", self.user_id)
        await self.subscribes()

    async def reads(self) -> None:
        """Look at the chat: a `seen` callback for every message of the bot not seen before."""
        for shown in [s for s in self.screen if s.by == "bot" and not s.seen]:
            shown.seen = True
            if "seen" in self.viber.event_types:
                await self._settled(self._receipt("seen", shown))

    async def posts(self, callback: dict[str, Any]) -> None:
        """A callback of any shape, signed."""
        await self._settled(self.viber.post_raw(callback, self.user_id))

    async def expects(self, wanted: str | Callable[[Shown], bool], within: float = 5.0) -> Shown:
        """Wait for a message of the bot that contains the text (or fits); each message is taken once."""
        return await expect(self.viber.record, self.screen, wanted, within)

    def shows(self, text: str) -> bool:
        """Whether the bot's text or a button with it is on the screen now."""
        return any(text in part for s in self.screen if s.by == "bot" for part in (s.text, *s.labels))

    def fails_next(self, description: str = "Failed to render the message") -> None:
        """The next message is accepted by Viber and fails on the phone."""
        self._failure = description

    def takes_version(self, min_api_version: int) -> None:
        """Raise Refusal if this phone's Viber is too old for the message."""
        if min_api_version > self.api_version:
            raise Refusal(13, "apiVersionNotSupported")

    def show(self, message: dict[str, Any], buttons: list[list[Button]], token: int) -> Shown:
        """For the stand-in: a message of the bot arrives (or is lost, see `fails_next`)."""
        self.welcome_allowed = False
        kind, at = str(message.get("type", "keyboard")), self.viber.record.clock()
        shown = Shown(token, str(message.get("text", "")), "bot", buttons, kind, at)
        if self._failure:
            return shown
        self.keyboard = buttons or self.keyboard
        self.tracking_data = str(message.get("tracking_data", ""))
        self.screen.append(shown)
        self.viber.happened("shown", self.user_id, **shown.as_json())
        return shown

    def send_receipt(self, shown: Shown) -> None:
        """For the stand-in: tell the bot what became of its message."""
        failure, self._failure = self._failure, ""
        if failure and "failed" in self.viber.event_types:
            self._receipt("failed", shown, desc=failure)
        elif not failure and self.viber.receipts and "delivered" in self.viber.event_types:
            self._receipt("delivered", shown)

    def _receipt(self, event: str, shown: Shown, **more: str) -> Parcel:
        return self.viber.post(
            event, self.user_id, message_token=shown.message_id, user_id=self.user_id, **more
        )

    def _welcome(self, answer: bytes) -> None:
        try:
            message = json.loads(answer or b"null")
        except ValueError:
            return
        if not isinstance(message, dict) or "type" not in message:
            return
        try:
            buttons = check_message(message, len(answer))
        except Refusal as refusal:
            self.viber.happened("reply_refused", self.user_id, why=refusal.message)
            return
        self.show(message, buttons, self.viber.new_token())

    async def _message(self, kind: str, text: str, content: dict[str, Any], wait: bool = True) -> Shown:
        self.subscribed, self.welcome_allowed = True, False
        token = self.viber.new_token()
        shown = Shown(token, text, "citizen", [], kind, at=self.viber.record.clock())
        self.screen.append(shown)
        self.viber.happened("said", self.user_id, **shown.as_json())
        message = {"type": kind, **content}
        if self.tracking_data:
            message["tracking_data"] = self.tracking_data
        parcel = self.viber.post(
            "message", self.user_id, message_token=token, sender=self.user, message=message, silent=False
        )
        if wait:
            await self._settled(parcel)
        return shown

    async def _settled(self, parcel: Parcel) -> None:
        await parcel.tried.wait()
