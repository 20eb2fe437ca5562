"""The hands of the people on call in a transcript: pick up, press, hang up, tap the link."""

from __future__ import annotations

import re

import aiohttp

from limani.transcript.stage import PEOPLE, Stage
from sandbox.twilio_call import Call

_SPELLED = re.compile(r"H R K, \S \S \S \S\b")
_LINK = re.compile(r"https?://\S+/a/\S+")


async def on_call_phone(stage: Stage, person: str, deed: str) -> list[str]:
    """Does one deed; returns what the person hears or sees, as transcript lines."""
    phone = stage.twilio.phone(PEOPLE[person]["phone"])
    match deed:
        case "busy":
            await phone.busy()
        case "declines":
            await phone.declines()
        case "fails":
            await phone.fails()
        case "no answer":
            await phone.no_answer()
        case "voicemail":
            await phone.voicemail()
        case "link":
            return [await _tap_link(phone.sms[-1].body, person)]
        case "sms":
            return [f"=> {person} gets an SMS: {_LINK.sub('(link)', phone.sms[-1].body)}"]
        case _:
            call = next((one for one in phone.calls if not one.over), None) or await phone.rings()
            return await _talk(call, person, deed)
    return []


async def _talk(call: Call, person: str, deed: str) -> list[str]:
    """`<key>` follows the announced keys to the end; `wrong` presses another; digits are pressed as such."""
    if call.status == "ringing":
        await call.pick_up()
    before = len(call.heard)
    heard = [_heard(call, person, 0)]
    if deed == "<key>":
        await call.presses_announced_key()
        if call.listening and not call.over:
            await call.presses_announced_key()
    elif deed == "hangs up":
        await call.hang_up()
    elif deed == "silent":
        await call.silence()
    elif deed == "wrong":
        await call.presses("9" if call.announced_key != "9" else "8")
    else:
        await call.presses(deed)
    if len(call.heard) > before:
        heard.append(_heard(call, person, before))
    return heard


def _heard(call: Call, person: str, since: int) -> str:
    words = " ".join(part.text for part in call.heard[since:])
    spoken = re.sub(r"\d", "#", _SPELLED.sub("(reference)", words))
    return f"=> {person} hears: {spoken}"


async def _tap_link(sms: str, person: str) -> str:
    """Opens the one-tap link and presses its one button."""
    match = _LINK.search(sms)
    if match is None:
        return f"=> {person} finds no link"
    async with aiohttp.ClientSession() as http:
        async with http.get(match[0]) as page:
            await page.read()
        async with http.post(match[0]) as answer:
            return f"=> {person} taps the link: {answer.status}"
