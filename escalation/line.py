"""Somebody dials the number that pages come from. Nobody may meet a dead line there.

Until the line itself connects callers, it tells the truth in Greek and English, twice: which numbers
answer day and night, and that messages to this number are read.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from bot.twilio import TwilioClient, form_fields
from escalation.voice import Voices

PATH = "/webhooks/twilio/voice"
_TIMES = 2
# The numbers are the state's own around-the-clock lines; sources and dates are in the profile's facts.
_WORDS = {
    "el": "Εδώ Λιμάνι, αυτόματο πρόγραμμα του Δήμου. Αν κινδυνεύετε, κλείστε και καλέστε 1 1 2. "
    "Για να μιλήσετε με άνθρωπο, όλο το εικοσιτετράωρο, καλέστε 1 0 1 8 ή 1 0 3 0 6. "
    "Μπορείτε και να στείλετε μήνυμα σε αυτόν τον αριθμό.",
    "en": "This is Limani, an automated program of the municipality. If you are in danger, hang up and dial "
    "1 1 2. To talk to a person, day and night, dial 1 0 1 8 or 1 0 3 0 6. "
    "You may also send a text message to this number.",
}
_LANGUAGES = {"el": "el-GR", "en": "en-GB"}


class Line:
    """The number's own voice webhook."""

    def __init__(self, client: TwilioClient, voices: Voices, refused: Callable[[str], object]) -> None:
        self._client, self._refused = client, refused
        self._answer = _spoken(voices)

    def routes(self) -> list[web.RouteDef]:
        """The one address, set as the number's voice webhook at Twilio."""
        return [web.post(PATH, self._dialled)]

    async def _dialled(self, request: web.Request) -> web.Response:
        if not self._client.verify(
            request.raw_path, form_fields(await request.read()), request.headers.get("X-Twilio-Signature")
        ):
            self._refused("twilio")
            return web.Response(status=403)
        return web.Response(text=self._answer, content_type="text/xml")


def _spoken(voices: Voices) -> str:
    response = VoiceResponse()
    for _ in range(_TIMES):
        for language, words in _WORDS.items():
            voice = {"voice": voices.names[language]} if language in voices.names else {}
            response.say(words, language=_LANGUAGES[language], **voice)
            response.pause(length=1)
    response.hangup()
    return str(response)
