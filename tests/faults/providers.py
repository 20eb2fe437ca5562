"""The provider matrix: every way in which a request to Telegram, Viber or Twilio may fail, for every call.

A citizen's text of unknown outcome is said at most twice, one that certainly was not sent is said until it
is, one that is refused is given up and staff know. A page is repeated until somebody has it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.proxy import Plan, Proxy, Request
from tests.faults.rig import town
from tests.faults.rig.driver import RED, telegram_headers, telegram_update, viber_headers, viber_message
from tests.faults.rig.evidence import Stored
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import MARK
from tests.faults.rig.report import Line
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.verdict import Verdict

SPEED = 5.0  # eight seconds of waiting for an answer are less than two
AS_EVER = (1, 1)
UNKNOWN = {"after": (2, 2), "reset": (2, 2), "half": (2, 2), "truncated": (2, 2), "drip": (2, 2)}
CERTAIN = {"before": AS_EVER, "slow": AS_EVER, "429": AS_EVER, "429-bare": AS_EVER, "garbage": AS_EVER}
BROKEN = {"500": AS_EVER, "502": AS_EVER, "503": AS_EVER, "401": AS_EVER}
GIVEN_UP = (0, 0)
TELEGRAM = {**UNKNOWN, **CERTAIN, **BROKEN, "403": GIVEN_UP, "migrated-": AS_EVER}
VIBER = {
    **{**UNKNOWN, **CERTAIN, **BROKEN},
    **{"viber-12": AS_EVER, "viber-1000": AS_EVER, "viber-2": AS_EVER, "viber-6": GIVEN_UP},
    **{"viber-13": (0, 1), "viber-3": GIVEN_UP},
}
PAGES = [*UNKNOWN, *CERTAIN, *BROKEN, "403"]
_ATTEMPT = re.compile(rb"webhooks%2Ftwilio%2F(?:call|page-sms)%2F(\d+)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One citizen, whose first answer meets one fault; how often it may appear on the phone."""

    who: str
    fault: str
    times: tuple[int, int]


async def provider_matrix(home: Home, folder: Path, seed: int, core: bool = False) -> list[Line]:
    """One line for each call. `core`: the dozen that differ most, for the short run."""
    chosen = {"after", "before", "reset", "truncated", "429", "500", "403", "garbage", "viber-12", "viber-6"}
    some = [name for name in dict.fromkeys((*TELEGRAM, *VIBER)) if not core or name in chosen]
    lines = []
    async with setting(home, folder / "texts", seed, _wish()) as here:
        await asyncio.gather(_telegram(here, some), _viber(here, some))
    lines.append(Line("sendMessage and send_message matrix", _injected(here), here.verdict))
    async with setting(home, folder / "pages", seed, _wish()) as here:
        await _pages(here, [name for name in PAGES if name in some])
    lines.append(Line("Calls and Messages matrix", _injected(here), here.verdict))
    return lines


def _wish() -> Wish:
    """Limits that allow for a machine that is slower than the product's quick seconds."""
    rules = town.policy(seconds=120, contact="6h")
    return Wish(speed=SPEED, rules=rules, drain=90, late=2 * SPEED, late_after_start=5 * SPEED)


def _injected(here: Here) -> int:
    return sum(sum(proxy.injected.values()) for proxy in here.proxies.values())


async def _telegram(here: Here, faults: Sequence[str]) -> None:
    cells = [
        Cell(str(4001 + number), _with_chat(fault, 4901), TELEGRAM[fault])
        for number, fault in enumerate(one for one in faults if one in TELEGRAM)
    ]
    here.proxies["telegram"].plan = _first_of(
        {f"chat_id={cell.who}&": cell.fault for cell in cells}, "sendMessage"
    )
    for number, cell in enumerate(cells):
        text = f"γεια σας {MARK}tg{number}"
        body = telegram_update(30_000 + number, int(cell.who), 1, text)
        await here.driver.post("/webhooks/telegram", body, telegram_headers())
        here.ledger.accept("telegram", f"u{30_000 + number}", cell.who, 1, text)
    moved = {cell.who: "4901" for cell in cells if cell.fault.startswith("migrated-")}
    await _as_often(here, "telegram", cells, moved)


async def _viber(here: Here, faults: Sequence[str]) -> None:
    cells = [
        Cell(f"matrix-{number:03d}=", fault, VIBER[fault])
        for number, fault in enumerate(one for one in faults if one in VIBER)
    ]
    here.proxies["viber"].plan = _first_of({f'"{cell.who}"': cell.fault for cell in cells}, "send_message")
    for number, cell in enumerate(cells):
        text, token = f"γεια σας {MARK}vb{number}", 5_600_000_000 + number
        body = viber_message(token, cell.who, text)
        await here.driver.post("/webhooks/viber", body, viber_headers(body))
        here.ledger.accept("viber", f"m{token}", cell.who, 1, text)
    await _as_often(here, "viber", cells, {})


def _with_chat(fault: str, chat: int) -> str:
    return f"{fault}{chat}" if fault.endswith("-") else fault


def _first_of(faults: dict[str, str], path: str) -> Plan:
    """Each fault for the first request that holds its sign."""
    left = dict(faults)

    def plan(request: Request) -> str | None:
        if path not in request.line:
            return None
        text = request.body.decode("utf-8", "replace") + "&"
        sign = next((sign for sign in left if sign in text), None)
        return left.pop(sign) if sign else None

    return plan


async def _as_often(here: Here, channel: str, cells: Sequence[Cell], moved: dict[str, str]) -> None:
    """Waits until every cell has come to its end, then counts the first answer on each phone."""
    for _ in range(1200):
        stored = await Stored.read(here.database_url)
        mine = [row for row in stored.outbox if row["channel"] == channel]
        answered = {stored.addresses[row["address_id"]][1] for row in mine}
        if len(answered) >= len(cells) and all(row["state"] in ("sent", "failed", "blocked") for row in mine):
            break
        await asyncio.sleep(0.1)
    for cell in cells:
        who = moved.get(cell.who, cell.who)
        telegram = channel == "telegram"
        phone = here.stage.telegram.phone(int(who)) if telegram else here.stage.viber.phone(who)
        said = [shown.text for shown in phone.screen if shown.by == "bot"]
        first = said.count(said[0]) if said else 0
        if not cell.times[0] <= first <= cell.times[1]:
            here.verdict.blame(f"{channel} {cell.fault}: shown {first} times, not {cell.times}")


async def _pages(here: Here, faults: Sequence[str]) -> None:
    """Red cases, one after the other; the first request of each of their attempts meets a fault."""
    for number, fault in enumerate(faults):
        here.proxies["twilio"].plan = _each_attempt_once(fault)
        text, chat = f"{RED} {MARK}pg{number}", 5001 + number
        body = telegram_update(31_000 + number, chat, 1, text)
        await here.driver.post("/webhooks/telegram", body, telegram_headers())
        here.ledger.accept("telegram", f"u{31_000 + number}", str(chat), 1, text, red=True)
        try:
            await here.stage.telegram.phone(chat).expects("Απάντησε άνθρωπος", 40)
        except AssertionError:
            here.verdict.blame(f"twilio {fault}: nobody was found in 200 s of the product")
    here.proxies["twilio"].plan = lambda _: None


def _each_attempt_once(fault: str) -> Plan:
    seen: set[bytes] = set()

    def plan(request: Request) -> str | None:
        found = _ATTEMPT.search(request.body)
        if not found or found[1] in seen or len(seen) >= 2:  # the call and the text of the first step
            return None
        seen.add(found[1])
        return fault

    return plan


async def unreachable(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """Connections refused, hung, without a name, without TLS: everything waits, and leaves once it can."""
    wish = Wish(speed=SPEED, start=False, drain=120, late=600, late_after_start=600)
    async with setting(home, folder, seed, wish) as here:
        place, good = here.site.places[0], dict(here.site.places[0].environment)
        for number, how in enumerate(("refused", "hung", "nameless", "without TLS")):
            place.environment = {**good, **_misled(how, good)}
            if how in ("refused", "hung"):
                await asyncio.gather(*(_broken(proxy, how) for proxy in here.proxies.values()))
            await here.site.start(place)
            await _write(here, number)
            await asyncio.sleep(2.0)
            for proxy in here.proxies.values():
                await proxy.mend()
            if how in ("refused", "hung"):
                await _answered(here, number, how)
                await here.site.stop(place)
            else:
                await here.site.stop(place)
                place.environment = good
                await here.site.start(place)
                await _answered(here, number, how)
                await here.site.stop(place)
        await here.site.start(place)
    return 12, here.verdict


async def _broken(proxy: Proxy, how: str) -> None:
    await (proxy.refuse() if how == "refused" else proxy.hang())


def _misled(how: str, good: dict[str, str]) -> dict[str, str]:
    """Addresses with a name that nobody has, or with TLS where there is none."""
    names = ("LIMANI_TELEGRAM_API_URL", "LIMANI_VIBER_API_URL", "LIMANI_TWILIO_API_URL")
    if how == "nameless":
        return dict.fromkeys(names, "http://limani-faults.invalid:9")
    if how == "without TLS":
        return {name: good[name].replace("http://", "https://") for name in names}
    return {}


async def _write(here: Here, number: int) -> None:
    for chat, words, red in ((6001 + number, "γεια σας", False), (6101 + number, RED, True)):
        text = f"{words} {MARK}un{chat}"
        await here.driver.post(
            "/webhooks/telegram", telegram_update(32_000 + chat, chat, 1, text), telegram_headers()
        )
        here.ledger.accept("telegram", f"u{32_000 + chat}", str(chat), 1, text, red)
    text, token, user = f"γεια σας {MARK}uv{number}", 5_500_000_000 + number, f"unreached-{number}="
    body = viber_message(token, user, text)
    await here.driver.post("/webhooks/viber", body, viber_headers(body))
    here.ledger.accept("viber", f"m{token}", user, 1, text)


async def _answered(here: Here, number: int, how: str) -> None:
    try:
        await here.stage.telegram.phone(6001 + number).expects(lambda _: True, 30)
        await here.stage.telegram.phone(6101 + number).expects("Απάντησε άνθρωπος", 40)
        await here.stage.viber.phone(f"unreached-{number}=").expects(lambda _: True, 30)
    except AssertionError as error:
        here.verdict.blame(f"{how}: {error!s:.100}")
