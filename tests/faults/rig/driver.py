"""Citizens by the hundred: raw webhook bodies, posted again until they were answered 2xx, as providers do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import aiohttp

from sandbox.viber_sign import signature
from tests.faults.rig import town
from tests.faults.rig.ledger import MARK, Ledger

RED = "δεν αντέχω άλλο, έχω χάπια μπροστά μου"
WORDS = (
    "γεια σας",
    "θα ήθελα να μιλήσω με ψυχολόγο",
    "χρειάζομαι τρόφιμα για την οικογένειά μου",
    "εχω χρεη στη δευα και θα μου κοψουν το νερο",
    "pou einai to koinoniko pantopoleio",
    "hello, I need food",
    "ευχαριστώ πολύ",
    "ναι",
    "4",
    "Αγία Τριάδα",
    "δεν ξέρω τι να κάνω με το ρεύμα",
    "τι ώρα ανοίγει το κέντρο κοινότητας;",
)
_KEPT = 1000


class Driver:
    """Posts bodies and keeps the ledger. `held` is asked before each message, to keep the flood in bounds."""

    def __init__(self, ledger: Ledger, url: str, seed: int, red_share: float = 0.002) -> None:
        self._ledger, self._url = ledger, url
        self._chance, self._red = Random(seed), red_share
        self._http: aiohttp.ClientSession | None = None
        self._last = 500_000_000 + seed % 1000 * 1_000_000  # of the update ids and tokens
        self.posts = self.repeats = 0
        self.sent: list[
            tuple[str, bytes, dict[str, str]]
        ] = []  # the last bodies, for whoever sends them again
        self.hold = asyncio.Event()
        self.hold.set()

    async def __aenter__(self) -> Driver:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        await self._http.close()

    async def flood(
        self, citizens: int, messages: int, told: Callable[[int], None] = lambda _: None, since: int = 0
    ) -> None:
        """So many messages from so many citizens; each waits for the 2xx of one before the next. `since` is
        how many there were in floods before."""
        left = iter(range(since, since + messages))
        done = 0

        async def citizen(number: int) -> None:
            nonlocal done
            for count, one in enumerate(left, since + 1):
                await self.hold.wait()
                await self.say(number, count, one)
                done += 1
                told(done)

        await asyncio.gather(*(citizen(number) for number in range(citizens)))

    async def say(self, citizen: int, count: int, one: int, red: bool | None = None) -> None:
        """One message of one citizen: every tenth writes by Viber, whose rate is 20 a second."""
        red = self._chance.random() < self._red if red is None else red
        text = f"{RED if red else self._chance.choice(WORDS)} {MARK}{one:07d}"
        if citizen % 10 == 9:
            await self._viber(f"faults-{citizen:05d}=", count, text, red)
        else:
            await self._telegram(100_000 + citizen, count, text, red)

    async def _telegram(self, chat: int, count: int, text: str, red: bool) -> None:
        update = self._next()
        body = telegram_update(update, chat, count, text)
        await self.post("/webhooks/telegram", body, telegram_headers())
        self._ledger.accept("telegram", f"u{update}", str(chat), count, text, red)

    async def _viber(self, user: str, count: int, text: str, red: bool) -> None:
        token = 5_800_000_000_000_000_000 + self._next()
        body = viber_message(token, user, text)
        await self.post("/webhooks/viber", body, viber_headers(body))
        self._ledger.accept("viber", f"m{token}", user, count, text, red)

    def _next(self) -> int:
        self._last += 1
        return self._last

    async def post(self, path: str, body: bytes, headers: dict[str, str], within: float = 120) -> int:
        """Posts until the answer is 2xx; how often it took."""
        begun, tries = time.monotonic(), 0
        while True:
            tries += 1
            status = await self.once(path, body, headers)
            if 200 <= status < 300:
                self.posts += 1
                self.repeats += tries - 1
                if len(self.sent) < _KEPT:
                    self.sent.append((path, body, headers))
                return tries
            assert time.monotonic() - begun < within, f"{path} was not taken within {within} s: {status}"
            await asyncio.sleep(min(0.05 * 2 ** min(tries, 4), 0.5))

    def at(self, url: str) -> None:
        """From now on the product is there."""
        self._url = url

    async def once(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """One post; 0 when no answer came."""
        assert self._http is not None
        limit = aiohttp.ClientTimeout(total=15)
        try:
            async with self._http.post(self._url + path, data=body, headers=headers, timeout=limit) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0


def telegram_update(update: int, chat: int, message: int, text: str, at: float | None = None) -> bytes:
    """An update with a text, as the Bot API sends it."""
    who = {"id": chat, "first_name": "Maria", "language_code": "el"}
    content: dict[str, Any] = {
        "message_id": message,
        "date": int(at or time.time()),
        "chat": {"id": chat, "type": "private", "first_name": "Maria"},
        "from": {**who, "is_bot": False},
        "text": text,
    }
    return json.dumps({"update_id": update, "message": content}, ensure_ascii=False).encode()


def telegram_headers() -> dict[str, str]:
    """With the secret."""
    return {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": town.TELEGRAM_SECRET}


def viber_message(token: int, user: str, text: str) -> bytes:
    """A callback with a text, as Viber sends it."""
    content = {
        "event": "message",
        "timestamp": int(time.time() * 1000),
        "chat_hostname": "SN-CHAT",
        "message_token": token,
        "sender": {"id": user, "name": "Maria", "language": "el", "country": "GR", "api_version": 10},
        "message": {"type": "text", "text": text},
        "silent": False,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def viber_headers(body: bytes) -> dict[str, str]:
    """Signed."""
    return {
        "Content-Type": "application/json",
        "X-Viber-Content-Signature": signature(town.VIBER_TOKEN, body),
    }
