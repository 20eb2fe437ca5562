"""A short story through every kind of work, played against one product that may die at any point of it.

    a food request: words, a tap, a typed answer     Telegram
    a cry for help, a call that nobody takes, the next with both keys, a human's words  Viber, voice, CLI
    a second cry, answered by the one-tap link       Telegram, SMS, link
    a text to the town's number                      SMS
    a day of silence: the form gives up              a wait that runs out

The actors are patient: whatever died, they go on as people and providers would. The story always ends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from sandbox import Record, TelegramStandIn, TwilioStandIn, ViberStandIn
from sandbox.journal import Journal
from sandbox.lanes import Backoff, Parcel
from sandbox.standin import Answer
from sandbox.twilio_call import Call
from tests.faults.rig import town
from tests.faults.rig.driver import RED
from tests.faults.rig.ledger import MARK, Ledger
from tests.faults.rig.site import Site
from tests.faults.warp import Warp

PATIENCE = 20.0  # real seconds that an actor waits for anything
QUICK = Backoff(pauses=(0.02, 0.05, 0.1, 0.2), cap=0.2)
CITIZEN_NUMBER = "+306900000077"


class Stage:
    """The providers in this process, with their ledger and journal, all on one warped clock."""

    def __init__(self, folder: Path, url: str, warp: Warp, ledger: Ledger) -> None:
        self.journal = folder / "journal.jsonl"
        self.warp, self.ledger, self.url = warp, ledger, url
        self._kept = Journal(self.journal, sync=False)
        self.record = Record(clock=warp.now, journal=self._kept)
        self.telegram = TelegramStandIn(
            town.TELEGRAM_TOKEN,
            town.TELEGRAM_SECRET,
            f"{url}/webhooks/telegram",
            record=self.record,
            backoff=QUICK,
        )
        self.viber = ViberStandIn(
            town.VIBER_TOKEN, f"{url}/webhooks/viber", record=self.record, backoff=QUICK
        )
        self.twilio = TwilioStandIn(town.ACCOUNT, town.TWILIO_TOKEN, record=self.record)
        self.twilio.line(town.NUMBER, f"{url}/webhooks/twilio/voice", f"{url}/webhooks/twilio/sms")
        self._numbers: dict[tuple[str, str], int] = {}
        _listen(self.telegram.lanes, self._telegram_said)
        _listen(self.viber.lanes, self._viber_said)

    @property
    def urls(self) -> dict[str, str]:
        """Where the product finds them."""
        return {"telegram": self.telegram.url, "viber": self.viber.url, "twilio": self.twilio.url}

    async def __aenter__(self) -> Stage:
        for stand_in in (self.telegram, self.viber, self.twilio):
            await stand_in.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for stand_in in (self.telegram, self.viber, self.twilio):
            await stand_in.stop()
        self._kept.close()

    def _telegram_said(self, update: dict[str, Any]) -> None:
        key, message = f"u{update['update_id']}", update.get("message")
        if message:
            who, text = str(message["chat"]["id"]), message.get("text", "")
            self.ledger.accept("telegram", key, who, self._count("telegram", who), text, RED in text)
        else:
            self.ledger.accept("telegram", key, "", 0, "")

    def _viber_said(self, callback: dict[str, Any]) -> None:
        if callback["event"] == "message":
            who, text = callback["sender"]["id"], callback["message"].get("text", "")
            words, key = "" if text.startswith("~") else text, f"m{callback['message_token']}"
            self.ledger.accept("viber", key, who, self._count("viber", who), words, RED in text)

    def _count(self, channel: str, who: str) -> int:
        self._numbers[channel, who] = self._numbers.get((channel, who), 0) + 1
        return self._numbers[channel, who]

    async def texts(self, sid: str, text: str) -> None:
        """A citizen's SMS, posted until it was taken (life would need Twilio's fallback address)."""
        params = {
            **{"MessageSid": sid, "SmsSid": sid, "AccountSid": town.ACCOUNT, "NumMedia": "0"},
            **{"From": CITIZEN_NUMBER, "To": town.NUMBER, "Body": text},
        }
        while not (await self.twilio.ask(f"{self.url}/webhooks/twilio/sms", params)).ok:
            await asyncio.sleep(0.05)
        self.ledger.accept("sms", sid, CITIZEN_NUMBER, self._count("sms", CITIZEN_NUMBER), text)


def _listen(lanes: Any, heard: Callable[[dict[str, Any]], None]) -> None:
    """Tells of every parcel that was answered 2xx."""
    deliver = lanes.deliver

    async def told(parcel: Parcel) -> Answer:
        answer: Answer = await deliver(parcel)
        if answer.ok:
            heard(parcel.payload)
        return answer

    lanes.deliver = told


class Story:
    """Plays it once."""

    def __init__(self, stage: Stage, site: Site) -> None:
        self._stage, self._site = stage, site

    async def play(self) -> None:
        """All scenes; AssertionError when an actor has waited too long."""
        self._stage.twilio.phone(town.PHONES["eleni"]).behaviour = self._not_at_first
        self._stage.twilio.phone(town.PHONES["nikos"]).behaviour = "acknowledges"
        self._stage.twilio.phone(town.PHONES["dora"]).behaviour = "acknowledges"
        await asyncio.gather(self._food(), self._help_by_phone(), self._by_sms())
        await self._help_by_link()
        await self._silence()

    async def _not_at_first(self, call: Call) -> None:
        """Eleni does not hear the telephone: her step has to run out."""

    async def _food(self) -> None:
        phone = self._stage.telegram.phone(2001)
        await phone.says(f"χρειάζομαι τρόφιμα {MARK}0000001")
        await phone.expects("1 από 7", PATIENCE)
        await phone.taps("Λίγο")
        await phone.expects("2 από 7", PATIENCE)
        await phone.says(f"3 {MARK}0000002")
        await phone.says("3")
        await phone.expects("3 από 7", PATIENCE)

    async def _help_by_phone(self) -> None:
        phone = self._stage.viber.phone("faults-viber-citizen=")
        await phone.says(f"{RED} {MARK}0000003")
        await phone.expects("1018", PATIENCE)
        await phone.expects("Απάντησε άνθρωπος", PATIENCE)
        ref, person = await self._owner("viber")
        words = "Είμαι εδώ, μιλήστε μου."
        self._stage.ledger.deed(via="console", ref=ref, person=person)
        await self._until_zero("tickets", "reply", ref, "--as", person, words)
        await phone.expects(words, PATIENCE)

    async def _help_by_link(self) -> None:
        phone = self._stage.telegram.phone(2002)
        await phone.says(f"{RED} {MARK}0000004")
        eleni = self._stage.twilio.phone(town.PHONES["eleni"])
        self._stage.ledger.deed(via="link", person="eleni", ref="")
        seen = len(eleni.sms)
        for _ in range(200):
            if await self._press_links([sms.body for sms in eleni.sms[max(0, seen - 1) :]]) and phone.shows(
                "Απάντησε άνθρωπος"
            ):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("no link took the page")

    async def _press_links(self, texts: list[str]) -> bool:
        links = [word for text in texts for word in text.split() if "/a/" in word]
        pressed = False
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(3)) as http:
            for link in links:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.post(link) as answer:
                        pressed |= answer.status == 200
        return pressed

    async def _by_sms(self) -> None:
        await self._stage.texts("SM" + "7" * 32, f"pou einai to koinoniko pantopoleio {MARK}0000005")
        phone = self._stage.twilio.phone(CITIZEN_NUMBER)
        await phone.expects_sms(within=PATIENCE)

    async def _silence(self) -> None:
        """Somebody sets the clock ahead by a day and an hour; nobody who is searched for is left waiting."""
        phone = self._stage.telegram.phone(2001)
        before = self._stage.warp.now()
        self._stage.warp.set_ahead(25 * 3600)
        self._stage.ledger.leap(before, self._stage.warp.now())
        self._site.look_at_clock()
        await phone.expects("Δεν έστειλα", PATIENCE)

    async def _owner(self, channel: str) -> tuple[str, str]:
        """The reference of the red case of a channel, and who has it."""
        for _ in range(100):
            code, out, _ = await self._site.command("tickets", "list", "--json")
            found = [one for one in json.loads(out or "[]") if one["channel"] == channel] if code == 0 else []
            if found and found[0]["assigned_to"]:
                return found[0]["ref"], found[0]["assigned_to"]
            await asyncio.sleep(0.1)
        raise AssertionError("nobody has the case")

    async def _until_zero(self, *arguments: str) -> None:
        for _ in range(20):
            code, _, err = await self._site.command(*arguments)
            if code == 0:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"limani {' '.join(arguments[:2])} failed: {err}")
