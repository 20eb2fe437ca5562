"""A citizen's phone with Telegram on it: what it shows, and what its owner does.

Acts return once the product had its first chance to take the update (or, with no webhook, once it waits for
getUpdates); they never wait for an answer. `expects` does that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.screen import Button, Screen, Shown, expect

if TYPE_CHECKING:
    from sandbox.lanes import Parcel
    from sandbox.telegram import TelegramStandIn

FIRST_MESSAGE = 100


class TelegramPhone:
    """One private chat between a citizen and the bot; the chat id is the citizen's user id."""

    def __init__(self, telegram: TelegramStandIn, chat_id: int, first_name: str, language_code: str) -> None:
        self.telegram = telegram
        self.chat_id = chat_id
        self.first_name = first_name
        self.language_code = language_code
        self.screen = Screen()
        self.keyboard: list[list[Button]] = []
        self.toasts: list[str] = []
        self.taps_unanswered: list[str] = []
        self.blocked = False
        self.deactivated = False
        self._next_message = FIRST_MESSAGE
        self._next_tap = chat_id * 1000

    @property
    def user(self) -> dict[str, Any]:
        """The citizen as updates describe them."""
        return {
            "id": self.chat_id,
            "is_bot": False,
            "first_name": self.first_name,
            "language_code": self.language_code,
        }

    @property
    def chat(self) -> dict[str, Any]:
        """The chat as updates describe it."""
        return {"id": self.chat_id, "type": "private", "first_name": self.first_name}

    async def starts(self, payload: str = "") -> Shown:
        """Press Start, perhaps by a deep link."""
        return await self.says(f"/start {payload}".strip())

    async def says(self, text: str, wait: bool = True) -> Shown:
        """Write a text; wait=False does not even wait for the first delivery."""
        content: dict[str, Any] = {"text": text}
        if text.startswith("/"):
            length = len(text.split()[0])
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return await self._message("text", text, content, wait)

    async def taps(self, label: str) -> Button:
        """Tap the newest button with this label; AssertionError when no such button is shown."""
        for button in (b for row in self.keyboard for b in row if b.label == label):
            await self._taps_keyboard(button)
            return button
        found = self.screen.button(label)
        assert found is not None, f"no button {label!r}; the screen shows:\n{self.screen}"
        shown, button = found
        self.telegram.happened("tapped", str(self.chat_id), label=button.label, id=str(shown.message_id))
        if button.kind == "tap":
            await self.taps_data(shown.message_id, button.data)
        return button

    async def taps_data(self, message_id: int, data: str) -> str:
        """Send a button press with any data, as an old or a forged client may; returns the query's id."""
        self._next_tap += 1
        query_id = str(self._next_tap)
        self.taps_unanswered.append(query_id)
        shown = self.screen.find(message_id) or Shown(message_id, "")
        content = {
            "id": query_id,
            "from": self.user,
            "message": self.message_json(shown),
            "chat_instance": str(self.chat_id),
            "data": data,
        }
        await self._settled(self.telegram.post("callback_query", content, ("tap", str(self.chat_id))))
        return query_id

    async def edits(self, message_id: int, text: str) -> None:
        """Change one of the citizen's own messages."""
        shown = self.screen.find(message_id)
        assert shown is not None, "no such message on this phone"
        assert shown.by == "citizen", "a citizen edits own messages only"
        shown.versions.append(shown.text)
        shown.text = text
        self.telegram.happened("edited", str(self.chat_id), by="citizen", text=text, id=str(message_id))
        content = {**self.message_json(shown), "edit_date": int(self.telegram.record.clock())}
        await self._settled(self.telegram.post("edited_message", content, self._lane))

    async def shares_location(self, latitude: float, longitude: float) -> Shown:
        """Send a place."""
        place = {"latitude": latitude, "longitude": longitude}
        return await self._message("location", "", {"location": place})

    async def shares_contact(self, phone_number: str, of_someone_else: bool = False) -> Shown:
        """Send a contact: one's own, or another person's (then user_id differs)."""
        contact: dict[str, Any] = {"phone_number": phone_number, "first_name": self.first_name}
        contact |= {} if of_someone_else else {"user_id": self.chat_id}
        return await self._message("contact", "", {"contact": contact})

    async def sends_photo(self, caption: str = "", data: bytes = b"a synthetic photo") -> Shown:
        """Send a photo with a caption; getFile serves its bytes."""
        size = {**self._file("photo", data), "width": 90, "height": 90}
        return await self._captioned("photo", caption, {"photo": [size]})

    async def sends_document(self, caption: str = "", data: bytes = b"a synthetic file") -> Shown:
        """Send a file with a caption."""
        file = {**self._file("document", data), "file_name": "paper.pdf", "mime_type": "application/pdf"}
        return await self._captioned("document", caption, {"document": file})

    async def sends_voice(self, seconds: int = 3, data: bytes = b"a synthetic voice") -> Shown:
        """Send a voice note."""
        voice = {**self._file("voice", data), "duration": seconds, "mime_type": "audio/ogg"}
        return await self._message("voice", "", {"voice": voice})

    async def sends_sticker(self, emoji: str = "🙂") -> Shown:
        """Send a sticker."""
        sticker = {**self._file("sticker", b"a synthetic sticker"), "width": 512, "height": 512}
        sticker |= {"type": "regular", "emoji": emoji, "is_animated": False, "is_video": False}
        return await self._message("sticker", emoji, {"sticker": sticker})

    async def blocks(self) -> None:
        """Block the bot: sends to this chat are refused with 403 from now on."""
        self.blocked = True
        await self._membership("member", "kicked")

    async def unblocks(self) -> None:
        """Let the bot in again."""
        self.blocked = False
        await self._membership("kicked", "member")

    async def posts(self, update: dict[str, Any]) -> None:
        """An update of any shape; it gets the next update_id unless it carries one."""
        await self._settled(self.telegram.post_raw(update, self._lane))

    async def expects(self, wanted: str | Callable[[Shown], bool], within: float = 5.0) -> Shown:
        """Wait for a message of the bot that contains the text (or fits); each message is taken once."""
        return await expect(self.telegram.record, self.screen, wanted, within)

    def shows(self, text: str) -> bool:
        """Whether the bot's text or a button with it is on the screen now."""
        return any(text in part for s in self.screen if s.by == "bot" for part in (s.text, *s.labels))

    def show(
        self,
        text: str,
        buttons: list[list[Button]],
        *,
        kind: str = "text",
        markup: Any = None,
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """For the stand-in: a message of the bot arrives; returns it as the Bot API does."""
        inline = not isinstance(markup, dict) or "inline_keyboard" in markup
        if isinstance(markup, dict) and ("keyboard" in markup or markup.get("remove_keyboard")):
            self.keyboard = buttons
        shown = self._add(text, "bot", kind, buttons if inline else [])
        self.telegram.happened("shown", str(self.chat_id), **shown.as_json())
        return {**self.message_json(shown), **(extra or {})}

    def change(self, shown: Shown, text: str, buttons: list[list[Button]]) -> dict[str, Any]:
        """For the stand-in: the bot edits a message of its own, which may be expected anew."""
        shown.versions.append(shown.text)
        shown.text, shown.buttons, shown.expected = text, buttons, False
        self.telegram.happened("edited", str(self.chat_id), **shown.as_json())
        return {**self.message_json(shown), "edit_date": int(self.telegram.record.clock())}

    def message_json(self, shown: Shown) -> dict[str, Any]:
        """A message as the Bot API describes it."""
        content: dict[str, Any] = {
            "message_id": shown.message_id,
            "date": int(shown.at),
            "chat": self.chat,
            "from": self.telegram.me if shown.by == "bot" else self.user,
        }
        if shown.kind == "text":
            content["text"] = shown.text
        elif shown.text:
            content["caption"] = shown.text
        if shown.buttons:
            content["reply_markup"] = {"inline_keyboard": [[_button(b) for b in r] for r in shown.buttons]}
        return content

    @property
    def _lane(self) -> tuple[str, str]:
        return ("chat", str(self.chat_id))

    async def _taps_keyboard(self, button: Button) -> None:
        if button.kind == "location":
            await self.shares_location(35.3387, 25.1442)
        elif button.kind == "contact":
            await self.shares_contact("+306900000099")
        else:
            await self.says(button.data)

    async def _captioned(self, kind: str, caption: str, content: dict[str, Any]) -> Shown:
        return await self._message(kind, caption, content | ({"caption": caption} if caption else {}))

    async def _message(self, kind: str, text: str, content: dict[str, Any], wait: bool = True) -> Shown:
        shown = self._add(text, "citizen", kind, [])
        self.telegram.happened("said", str(self.chat_id), **shown.as_json())
        parcel = self.telegram.post("message", {**self.message_json(shown), **content}, self._lane)
        if wait:
            await self._settled(parcel)
        return shown

    async def _settled(self, parcel: Parcel) -> None:
        if self.telegram.webhook:
            await parcel.tried.wait()

    async def _membership(self, before: str, after: str) -> None:
        self.telegram.happened("blocked" if self.blocked else "unblocked", str(self.chat_id))
        bot = self.telegram.me
        content = {
            "chat": self.chat,
            "from": self.user,
            "date": int(self.telegram.record.clock()),
            "old_chat_member": _member(bot, before),
            "new_chat_member": _member(bot, after),
        }
        await self._settled(self.telegram.post("my_chat_member", content, ("member", str(self.chat_id))))

    def _add(self, text: str, by: Any, kind: str, buttons: list[list[Button]]) -> Shown:
        self._next_message += 1
        shown = Shown(self._next_message, text, by, buttons, kind, at=self.telegram.record.clock())
        self.screen.append(shown)
        return shown

    def _file(self, kind: str, data: bytes) -> dict[str, Any]:
        name = f"{kind}-{self.chat_id}-{self._next_message + 1}"
        self.telegram.files[name] = data
        return {"file_id": name, "file_unique_id": name, "file_size": len(data)}


def _button(button: Button) -> dict[str, str]:
    if button.kind == "link":
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.data}


def _member(bot: dict[str, Any], status: str) -> dict[str, Any]:
    return {"user": bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})
