"""What a page says on the telephone: who calls, a spelled reference, and two keys. Nothing of the case.

Two keys in two steps, because a voicemail greeting, a pocket or an echo of the prompt may press one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

MOST_PROMPTS = 3
WAIT_FOR_KEY = 6  # seconds of silence after a prompt

_EL = {
    "hello": "Εδώ Λιμάνι, η γραμμή του Δήμου. Ένας άνθρωπος σας χρειάζεται τώρα. Υπόθεση {ref}.",
    "take": "Για να την αναλάβετε, πατήστε το {key}.",
    "confirm": "Για επιβεβαίωση, πατήστε το {key}.",
    "wrong": "Αυτό δεν ήταν το σωστό πλήκτρο.",
    "won": "Ευχαριστούμε. Η υπόθεση {ref} είναι δική σας. Ανοίξτε τώρα την κονσόλα και γράψτε στον άνθρωπο.",
    "yours": "Έχετε ήδη την υπόθεση {ref}. Ανοίξτε την κονσόλα.",
    "taken": "Ευχαριστούμε. Την υπόθεση {ref} την έχει ήδη {who}.",
    "over": "Ευχαριστούμε. Η υπόθεση {ref} δεν χρειάζεται πια κάποιον.",
    "bye": "Καλούμε τον επόμενο. Γεια σας.",
    "hold": "Μισό λεπτό, παρακαλώ.",
    "sorry": "Κάτι δεν λειτουργεί. Ανοίξτε την κονσόλα.",
}
_EN = {
    "hello": "This is Limani, the line of the municipality. Somebody needs you now. Case {ref}.",
    "take": "To take it, press {key}.",
    "confirm": "To confirm, press {key}.",
    "wrong": "That was not the right key.",
    "won": "Thank you. Case {ref} is yours. Open the console now and write to the person.",
    "yours": "You have case {ref} already. Open the console.",
    "taken": "Thank you. Case {ref} is already with {who}.",
    "over": "Thank you. Case {ref} does not need anybody any more.",
    "bye": "We are calling the next person. Goodbye.",
    "hold": "One moment, please.",
    "sorry": "Something does not work. Open the console.",
}
_WORDS = {"el": _EL, "en": _EN}
_LANGUAGES = {"el": "el-GR", "en": "en-GB"}


@dataclass(frozen=True, slots=True)
class Voices:
    """Which voice speaks a language at the provider; without one it is left to the language."""

    names: Mapping[str, str] = field(
        default_factory=lambda: {"el": "Google.el-GR-Wavenet-A", "en": "Google.en-GB-Wavenet-A"}
    )


class Script:
    """TwiML in one responder's language."""

    def __init__(self, language: str, ref: str, voices: Voices) -> None:
        self._words = _WORDS[language]
        self._spoken = {"language": _LANGUAGES[language]}
        if language in voices.names:
            self._spoken["voice"] = voices.names[language]
        self._ref = spelled(ref)

    def ask(
        self, key: str, action: str, *, confirm: bool = False, wrong: bool = False, hello: bool = True
    ) -> str:
        """A prompt that announces a key and waits for one; `action` hears it, or the silence."""
        parts = [self._say("wrong")] if wrong else []
        if hello and not confirm:
            parts.append(self._say("hello"))
        parts.append(self._say("confirm" if confirm else "take", key=key))
        response = VoiceResponse()
        gather = Gather(
            input="dtmf",
            num_digits=1,
            timeout=WAIT_FOR_KEY,
            finish_on_key="",
            action=action,
            method="POST",
            action_on_empty_result=True,
        )
        gather.say(" ".join(parts), **self._spoken)
        response.append(gather)
        return _with_comment(str(response), f"key={key}")

    def end(self, word: str, who: str = "") -> str:
        """A last sentence (won, yours, taken, over, bye, sorry), then the line is closed."""
        response = VoiceResponse()
        response.say(self._say(word, who=who), **self._spoken)
        response.hangup()
        return str(response)

    def hold(self, again: str) -> str:
        """Keeps the line while we cannot answer, and asks again."""
        response = VoiceResponse()
        response.say(self._say("hold"), **self._spoken)
        response.pause(length=2)
        response.redirect(again, method="POST")
        return str(response)

    def _say(self, word: str, key: str = "", who: str = "") -> str:
        return self._words[word].format(ref=self._ref, key=key, who=who)


def silent_end() -> str:
    """Closes a line of which nothing is known."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def spelled(ref: str) -> str:
    """A reference letter by letter, with a rest in the middle."""
    head, _, tail = ref.partition("-")
    return ", ".join(" ".join(part) for part in (head, tail) if part)


def _with_comment(document: str, comment: str) -> str:
    """Machines that listen find the key here; people hear it."""
    return document.replace("<Response>", f"<Response><!-- {comment} -->", 1)
