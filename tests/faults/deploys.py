"""Two versions at once in a deploy, a migration with pages pending, and a restore with everything sent again.

The older version is an older commit of this very repository, checked out beside and served from there.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from tests.faults.databases import one_postgres
from tests.faults.rig import town
from tests.faults.rig.drain import drained
from tests.faults.rig.driver import RED, telegram_headers, telegram_update
from tests.faults.rig.home import ROOT, Home
from tests.faults.rig.ledger import MARK
from tests.faults.rig.setting import Here, Wish, setting
from tests.faults.rig.site import Place
from tests.faults.rig.verdict import Verdict

OLDER = "01ad3ab"  # the last commit that knows the first schema alone
AWAY = 30.0


async def two_versions(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """The old one serves; a page is pending; the new one migrates and serves beside it; the old one goes."""
    folder.mkdir(parents=True, exist_ok=True)
    tree = folder / "older"
    code = await _call("git", "-C", str(ROOT), "worktree", "add", "--detach", "--force", str(tree), OLDER)
    if code:
        verdict = Verdict()
        verdict.blame(f"commit {OLDER} cannot be checked out: fetch the whole history")
        return 0, verdict
    try:
        async with one_postgres(folder) as server, Home(tree=tree) as old_home:
            rules = town.policy(seconds=8, contact="6h")
            wish = Wish(await server.database("deploy"), rules=rules, start=False, drain=120, late=AWAY)
            wish.late_after_start = AWAY
            async with setting(home, folder / "run", seed, wish) as here:
                here.stage.twilio.phone(town.PHONES["eleni"]).behaviour = "no_answer"
                await _deploy(here, old_home)
            return 1, here.verdict
    finally:
        await _call("git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree))


async def _deploy(here: Here, old_home: Home) -> None:
    new = here.site.places[0]
    beside = {**new.environment, "LIMANI_PORT": str(town.free_port())}
    folder = new.folder.with_name("older-0")
    folder.mkdir(parents=True, exist_ok=True)
    old = Place("all", folder, int(beside["LIMANI_PORT"]), beside)
    old.child = await old_home.start(["serve"], beside, old.log)
    await here.site.ready(old)
    life = here.ledger.begins()
    old_url, new_url = old.url, new.url
    here.driver.at(old_url)
    for number in range(10):
        await here.driver.say(number, 1, number)
    await _cry(here, 8001)
    await here.site.start(new)  # migrates, with that page pending
    here.driver.at(new_url)
    for number in range(10, 30):
        here.driver.at(old_url if number % 2 else new_url)
        await here.driver.say(number, 1, number)
    await _cry(here, 8002)
    code = await old.child.stop()
    here.ledger.ends(life, "stop")
    if code:
        here.verdict.blame(f"the older version ended with {code}")
    here.driver.at(new_url)
    for number in range(30):
        await here.driver.say(number, 2, 100 + number)
    for chat in (8001, 8002):
        try:
            await here.stage.telegram.phone(chat).expects("Απάντησε άνθρωπος", 40)
        except AssertionError:
            here.verdict.pages_lost += 1
            here.verdict.blame(f"the page of chat {chat} was lost in the deploy")


async def _cry(here: Here, chat: int) -> None:
    text = f"{RED} {MARK}{chat}"
    body = telegram_update(50_000 + chat, chat, 1, text)
    await here.driver.post("/webhooks/telegram", body, telegram_headers())
    here.ledger.accept("telegram", f"u{50_000 + chat}", str(chat), 1, text, red=True)


async def restored(home: Home, folder: Path, seed: int) -> tuple[int, Verdict]:
    """A backup under load, a disaster, a restore into an empty file, and the providers send all of the day
    once more: every body is stored once, and only what came after the backup is answered a second time."""
    wish = Wish(late=AWAY, late_after_start=AWAY, drain=90)
    async with setting(home, folder, seed, wish) as here:
        place, copy = here.site.places[0], folder / "backup" / "limani.db"
        copy.parent.mkdir()
        await here.driver.flood(20, 100)
        await _checked(here, "backup", str(copy))
        taken = len(here.ledger.accepted)
        await here.driver.flood(20, 100, since=100)
        await drained(here.database_url, folder.rglob("spool-*.log"), here.verdict, 60)
        await here.site.kill(place)
        _disaster(folder)
        await _checked(here, "restore", str(copy))
        await here.site.start(place)
        for path, body, headers in list(here.driver.sent):
            await here.driver.post(path, body, headers)
        again = {one.who for one in here.ledger.accepted[taken:]}
    twice = [sentence for sentence in here.verdict.wrong if "times too often" in sentence]
    known = [sentence for sentence in twice if any(who in sentence for who in again)]
    here.verdict.wrong = [one for one in here.verdict.wrong if one not in known and not _order(one, again)]
    here.verdict.twice(
        "message", "said after the backup, restored, asked for again", "after the backup", len(known)
    )
    return 1, here.verdict


def _order(sentence: str, again: set[str]) -> bool:
    """What was answered before the disaster and is answered again stands twice on a phone, out of turn."""
    return "another order than said" in sentence and any(who in sentence for who in again)


def _disaster(folder: Path) -> None:
    for file in folder.glob("limani.db*"):
        file.unlink()
    shutil.rmtree(folder / "spool", ignore_errors=True)


async def _checked(here: Here, *arguments: str) -> None:
    code, _, err = await here.site.command(*arguments)
    if code:
        here.verdict.blame(f"limani {arguments[0]} ended with {code}: {err[-300:]}")


async def _call(*command: str) -> int:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=sys.stderr)
    return await process.wait()
