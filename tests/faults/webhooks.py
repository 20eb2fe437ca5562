"""Webhooks on a bad day: twice, fifty times at once, in the wrong order, late, replayed, poisoned.

Everything that is verified is answered 2xx, stored once, and spoils nobody's next message.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from bot.channels.telegram_updates import understand
from bot.channels.viber_callbacks import understand as understand_viber
from tests.faults.rig.driver import telegram_headers, telegram_update, viber_headers, viber_message
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import MARK
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.verdict import Verdict

TELEGRAM, VIBER = "/webhooks/telegram", "/webhooks/viber"
DAY = 86_400.0


async def strange_webhooks(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """All of them, beside each other; how many bodies were posted in a way that they should not be."""
    async with setting(home, folder, seed, Wish()) as here:
        first = (_twice, _fifty, _reordered, _late, _replayed, _another_body)
        then = (_poisoned_telegram, _poisoned_viber, _unsigned, _tap_first, _edits)
        done = [*await asyncio.gather(*(one(here) for one in first))]
        done += await asyncio.gather(*(one(here) for one in then))
        await _still_answered(here)
    return sum(done), here.verdict


async def _twice(here: Here) -> int:
    for number in range(20):
        body = telegram_update(10_000 + number, 3001, number + 1, f"γεια {MARK}tw{number}")
        for _ in range(2):
            await here.driver.post(TELEGRAM, body, telegram_headers())
        here.ledger.accept("telegram", f"u{10_000 + number}", "3001", number + 1, f"γεια {MARK}tw{number}")
    return 20


async def _fifty(here: Here) -> int:
    """The same body fifty times at once, on both messengers."""
    text = f"χρειάζομαι τρόφιμα {MARK}ft"
    body, callback = telegram_update(11_000, 3002, 1, text), viber_message(5_700_000_001, "fifty=", text)
    posts = [here.driver.post(TELEGRAM, body, telegram_headers()) for _ in range(50)]
    posts += [here.driver.post(VIBER, callback, viber_headers(callback)) for _ in range(50)]
    await asyncio.gather(*posts)
    here.ledger.accept("telegram", "u11000", "3002", 1, text)
    here.ledger.accept("viber", "m5700000001", "fifty=", 1, text)
    return 98


async def _reordered(here: Here) -> int:
    """A later update comes first: what came first is answered first, and none is dropped."""
    for place, number in enumerate((3, 1, 4, 2, 5), 1):
        text = f"ευχαριστώ {MARK}ro{number}"
        body = telegram_update(12_000 + number, 3003, number, text)
        await here.driver.post(TELEGRAM, body, telegram_headers())
        here.ledger.accept("telegram", f"u{12_000 + number}", "3003", place, text)
    return 3


async def _late(here: Here) -> int:
    """Telegram gives up after a day: this one has just made it."""
    text = f"είμαι ακόμα εδώ {MARK}lt"
    body = telegram_update(13_000, 3004, 1, text, at=time.time() - DAY + 60)
    await here.driver.post(TELEGRAM, body, telegram_headers())
    here.ledger.accept("telegram", "u13000", "3004", 1, text)
    return 1


async def _replayed(here: Here) -> int:
    """A body of last week is posted again: answered 2xx, without a second effect."""
    text = f"γεια σας {MARK}rp"
    body = telegram_update(14_000, 3005, 1, text, at=time.time() - 7 * DAY)
    await here.driver.post(TELEGRAM, body, telegram_headers())
    here.ledger.accept("telegram", "u14000", "3005", 1, text)
    await here.stage.telegram.phone(3005).expects(lambda _: True, 20)
    shown = len(here.stage.telegram.phone(3005).screen)
    for _ in range(5):
        await here.driver.post(TELEGRAM, body, telegram_headers())
    await asyncio.sleep(0.5)
    if len(here.stage.telegram.phone(3005).screen) > max(shown, 2):
        here.verdict.blame("a replayed body had a second effect")
    return 5


async def _another_body(here: Here) -> int:
    """The same update_id with other words: the first one counts."""
    text = f"θέλω πληροφορίες {MARK}ab"
    first = telegram_update(15_000, 3006, 1, text)
    await here.driver.post(TELEGRAM, first, telegram_headers())
    here.ledger.accept("telegram", "u15000", "3006", 1, text)
    other = telegram_update(15_000, 3006, 1, f"κάτι άλλο {MARK}ac")
    await here.driver.post(TELEGRAM, other, telegram_headers())
    return 1


def poison(chat: int) -> list[bytes]:
    """Bodies that no parser should meet."""
    whole: dict[str, Any] = json.loads(telegram_update(16_100, chat, 9, f"x {MARK}po"))
    deep = b'{"update_id":16101,"message":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    return [
        b"",
        b"null",
        b"[1,2,3]",
        b"\xff\xfe\x00 no utf-8 \xc3\x28",
        b'{"update_id": 16102, "message": "no object"}',
        b'{"update_id": 16103, "brand_new_kind": {"a": 1}}',
        b'{"update_id": "sixteen", "message": {}}',
        b'{"update_id": 16104, "message": {"text": 5, "chat": {"id": "a"}}}',
        b'{"update_id": 99999999999999999999999999, "message": {"text": "x"}}',
        deep,
        json.dumps({**whole, "pad": "x" * (1 << 20)}).encode(),
        json.dumps({"update_id": 16105, "message": {**whole["message"], "text": "\ud800"}}).encode(),
        json.dumps({"update_id": 16106, "message": {**whole["message"], "text": "a\x00b"}}).encode(),
        json.dumps({"update_id": 16107, "message": {**whole["message"], "text": "x" * 900_000}}).encode(),
    ]


async def _poisoned_telegram(here: Here) -> int:
    bodies = poison(3007)
    for body in bodies:
        await _taken(here, TELEGRAM, body, telegram_headers())
        arrival = understand(body[: 1 << 20]).arrival
        if arrival is not None and len(body) <= 1 << 20:
            here.ledger.accept("telegram", getattr(arrival, "provider_key", ""), "3007", 0, "")
    return len(bodies)


async def _poisoned_viber(here: Here) -> int:
    bodies = [
        b"\xff\xfe",
        b'{"event": "unheard_of", "message_token": 1}',
        b'{"event": "message", "message_token": 2, "sender": {"id": 7}, "message": 1}',
        b'{"event": "message"}' + b" " * 1000,
        b'{"event": "delivered", "message_token": "x"}',
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ]
    for body in bodies:
        await _taken(here, VIBER, body, viber_headers(body))
        arrival = understand_viber(body)
        if arrival is not None and hasattr(arrival, "provider_key"):
            here.ledger.accept("viber", arrival.provider_key, "", 0, "")
    return len(bodies)


async def _taken(here: Here, path: str, body: bytes, headers: dict[str, str]) -> None:
    status = await here.driver.once(path, body, headers)
    if not 200 <= status < 300:
        here.verdict.blame(f"a poisoned body of {len(body)} bytes on {path} was answered {status}")


async def _unsigned(here: Here) -> int:
    """Without a good signature: 403, and nothing is stored (the oracle finds no row that nobody sent)."""
    body = telegram_update(17_000, 3008, 1, f"ψεύτικο {MARK}un")
    callback = viber_message(5_700_000_999, "forged=", f"ψεύτικο {MARK}un")
    posts = [
        here.driver.once(TELEGRAM, body, {}),
        here.driver.once(TELEGRAM, body, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}),
        here.driver.once(VIBER, callback, {"X-Viber-Content-Signature": "00" * 32}),
        here.driver.once("/webhooks/twilio/sms", b"From=%2B30&Body=x", {"X-Twilio-Signature": "x"}),
        here.driver.once("/webhooks/twilio/call/1/confirm", b"Digits=1", {"X-Twilio-Signature": "x"}),
    ]
    answers = await asyncio.gather(*posts)
    if set(answers) != {403}:
        here.verdict.blame(f"unsigned bodies were answered {sorted(set(answers))}")
    return len(answers)


async def _tap_first(here: Here) -> int:
    """A tap on a message that was never sent, before the citizen's first word; and a forged token."""
    for number, data in enumerate(("~zzzz.0", "~1.99999", "x" * 64, "")):
        query = {
            "id": str(number),
            "from": {"id": 3009, "is_bot": False, "first_name": "Maria"},
            "message": {"message_id": 5, "date": 0, "chat": {"id": 3009, "type": "private"}},
            "data": data,
        }
        update = 18_000 + number
        body = json.dumps({"update_id": update, "callback_query": query}).encode()
        await here.driver.post(TELEGRAM, body, telegram_headers())
        here.ledger.accept("telegram", f"u{update}", "3009", number + 1, "")
    return 4


async def _edits(here: Here) -> int:
    """An edit that overtakes its original, and one that comes while the original is being answered."""
    for number in range(5):
        text, chat = f"έχω χρέη στη ΔΕΥΑΗ {MARK}ed{number}", 3010 + number
        original = telegram_update(19_000 + number, chat, 1, text)
        content = json.loads(telegram_update(19_100 + number, chat, 1, f"{text} διορθωμένο"))
        content["edited_message"] = {**content.pop("message"), "edit_date": int(time.time())}
        edited = json.dumps(content, ensure_ascii=False).encode()
        bodies = (edited, original) if number == 0 else (original, edited)
        await asyncio.gather(*(here.driver.post(TELEGRAM, one, telegram_headers()) for one in bodies))
        here.ledger.accept("telegram", f"u{19_000 + number}", str(chat), 0, text)
        here.ledger.accept("telegram", f"u{19_100 + number}", str(chat), 0, "")
    return 5


async def _still_answered(here: Here) -> None:
    """Whoever was in all this writes once more, and is answered."""
    for number, chat in enumerate((3001, 3002, 3003, 3004, 3006, 3007, 3009, 3010)):
        text = f"με ακούτε; {MARK}sa{number}"
        shown = len(here.stage.telegram.phone(chat).screen)
        body = telegram_update(20_000 + number, chat, 500, text)
        await here.driver.post(TELEGRAM, body, telegram_headers())
        here.ledger.accept("telegram", f"u{20_000 + number}", str(chat), 500, text)
        for _ in range(200):
            if len(here.stage.telegram.phone(chat).screen) > shown:
                break
            await asyncio.sleep(0.05)
        else:
            here.verdict.blame(f"chat {chat} is not answered any more")
