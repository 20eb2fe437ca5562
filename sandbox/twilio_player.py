"""Plays TwiML into a call: fetches documents, speaks, waits for keys, follows actions and redirects.

Each verb returns what comes next: None (the next verb), a `Fetch` (another document) or an `End`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urldefrag, urljoin

from sandbox.standin import Answer
from sandbox.twilio_words import Connection, Status, Words
from sandbox.twiml import Document, TwimlError, Verb, parse

if TYPE_CHECKING:
    from sandbox.twilio_call import Call

RETRIEVAL_FAILURE, WRONG_CONTENT_TYPE = 11200, 12300
APOLOGY = "An application error has occurred. Goodbye."
LETTERS_PER_SECOND = 15.0
MOST_DOCUMENTS = 60  # a redirect loop ends here


@dataclass(frozen=True, slots=True)
class Fetch:
    """The next document: an address with extra parameters, or TwiML at hand."""

    url: str
    method: str = "POST"
    extra: dict[str, str] = field(default_factory=dict)
    twiml: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """Hang up."""

    status: Status = "completed"


Next = Fetch | End | None


class Player:
    """Runs until the call ends or another document takes its place."""

    def __init__(self, call: Call, first: Fetch) -> None:
        self.call = call
        self.fetch = first
        self.here = first.url

    async def run(self) -> None:
        """Documents one after the other; the end of the last one ends the call."""
        following: Next = self.fetch
        for _ in range(MOST_DOCUMENTS):
            if not isinstance(following, Fetch):
                break
            document = await self._document(following)
            following = await self._perform(document.verbs)
        self.call.finish(following.status if isinstance(following, End) else "completed", by="twiml")

    async def _document(self, fetch: Fetch) -> Document:
        try:
            return self._understood(await self._body(fetch))
        except TwimlError as error:
            return await self._fall_back(error, fetch)

    def _understood(self, body: str | bytes) -> Document:
        document = parse(body)
        self.call.comments += document.comments
        self.call.prompt, self.call.prompt_comments = [], document.comments
        return document

    async def _body(self, fetch: Fetch) -> str | bytes:
        if fetch.twiml:
            return fetch.twiml
        self.here = urldefrag(fetch.url)[0]
        params = {**self.call.base_params(), **fetch.extra}
        return _checked(await self.call.twilio.ask(fetch.url, params, fetch.method))

    async def _fall_back(self, error: TwimlError, fetch: Fetch) -> Document:
        """The fallback address gets one chance; without it the caller hears an apology."""
        self.call.errors.append(error.code)
        self.call.note("twiml_error", code=error.code)
        fallback = self.call.order.fallback_url
        if fallback:
            extra = {"ErrorCode": str(error.code), "ErrorUrl": fetch.url}
            try:
                return self._understood(await self._body(Fetch(fallback, "POST", extra)))
            except TwimlError as second:
                self.call.errors.append(second.code)
        return Document([Verb("Say", {"language": "en"}, APOLOGY)], [])

    async def _perform(self, verbs: list[Verb]) -> Next:
        for verb in verbs:
            following = await self._do(verb)
            if following is not None:
                return following
        return None

    async def _do(self, verb: Verb) -> Next:
        match verb.name:
            case "Say" | "Play" | "Pause":
                await self._speak(verb, None)
            case "Gather":
                return await self._gather(verb)
            case "Redirect":
                return Fetch(self._absolute(verb.text), verb.get("method", "POST"))
            case "Hangup":
                return End()
            case "Reject":
                return End("busy" if verb.get("reason") == "busy" else "no-answer")
            case "Dial" | "Enqueue":
                return await self._connect(verb)
            case "Record":
                return await self._record(verb)
        return None

    async def _speak(self, verb: Verb, gather: Verb | None) -> str | None:
        """Let the words be heard; a key pressed meanwhile (inside a Gather) stops them and is returned."""
        lasts = verb.seconds("length", 1.0)
        if verb.name != "Pause":
            kind: Literal["say", "play"] = "play" if verb.name == "Play" else "say"
            text = self._absolute(verb.text) if kind == "play" else verb.text
            words = Words(text, verb.get("language"), verb.get("voice"), kind)
            self.call.heard.append(words)
            self.call.prompt.append(words)
            self.call.note("words", text=text, language=verb.get("language"), type=kind)
            lasts = len(text) / LETTERS_PER_SECOND
        scale = self.call.twilio.seconds
        if scale is None:
            return None
        if gather is not None:
            return await self._key(lasts * scale)
        await asyncio.sleep(lasts * scale)
        return None

    async def _gather(self, verb: Verb) -> Next:
        scale = self.call.twilio.seconds
        finish, most = verb.get("finishOnKey", "#"), int(verb.get("numDigits", "0") or 0)
        pause = None if scale is None else verb.seconds("timeout", 5.0) * scale
        self._drain()
        self.call.listening = True
        key = await self._prompt(verb)
        digits = ""
        while True:
            key = await self._key(pause) if key is None else key
            if not key or key == finish:
                break
            digits, key = digits + key, None
            if most and len(digits) >= most:
                break
        self.call.listening = False
        return self._gathered(verb, digits)

    async def _prompt(self, verb: Verb) -> str | None:
        """Speak what stands inside the Gather until a key is pressed."""
        for part in verb.inside:
            if self.call.twilio.seconds is not None:
                self.call.settled.set()
            key = await self._speak(part, verb)
            if key:
                return key
        return None

    async def _key(self, limit: float | None) -> str | None:
        """The next key; empty when the person lets time pass, None when the limit has passed."""
        self.call.settled.set()
        try:
            async with asyncio.timeout(limit):
                key = await self.call.keys.get()
        except TimeoutError:
            return None
        return key

    def _gathered(self, verb: Verb, digits: str) -> Next:
        if not digits and verb.get("actionOnEmptyResult", "false").lower() != "true":
            return None
        action = self._absolute(verb.get("action")) if verb.get("action") else self.here
        return Fetch(action, verb.get("method", "POST"), {"Digits": digits, "msg": "Gather End"})

    async def _connect(self, verb: Verb) -> Next:
        """Put through until somebody hangs up or the product moves the call."""
        target = next(iter(verb.inside), None)
        if verb.name == "Enqueue":
            self.call.connected = Connection("queue", verb.text)
        elif target is not None and target.name == "Conference":
            self.call.connected = Connection("conference", target.text)
        else:
            self.call.connected = Connection("number", target.text if target else verb.text)
        self.call.note("connected", to=self.call.connected.name, type=self.call.connected.kind)
        self.call.settled.set()
        await self.call.line_free.wait()
        self.call.line_free.clear()
        self.call.connected = None
        if not verb.get("action"):
            return None
        return Fetch(
            self._absolute(verb.get("action")), verb.get("method", "POST"), {"DialCallStatus": "completed"}
        )

    async def _record(self, verb: Verb) -> Next:
        """The caller speaks until a key or silence ends it."""
        self.call.listening = True
        key = await self._key(None)
        self.call.listening = False
        action = self._absolute(verb.get("action")) if verb.get("action") else self.here
        extra = {"RecordingUrl": f"https://api.twilio.example/{self.call.sid}", "RecordingDuration": "3"}
        return Fetch(action, verb.get("method", "POST"), {**extra, "Digits": key or "hangup"})

    def _absolute(self, url: str) -> str:
        return urljoin(self.here, url)

    def _drain(self) -> None:
        """Keys from before the prompt do not count for it."""
        while not self.call.keys.empty():
            self.call.keys.get_nowait()


def _checked(answer: Answer) -> bytes:
    if not answer.ok:
        raise TwimlError(RETRIEVAL_FAILURE, f"HTTP retrieval failure: {answer.status}")
    kind = {name.lower(): value for name, value in answer.headers.items()}.get("content-type", "")
    if "xml" not in kind:
        raise TwimlError(WRONG_CONTENT_TYPE, f"Invalid Content-Type: {kind}")
    return answer.body
