"""limani backup | restore: beside a running server, sentences for every no, and a careful awakening."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, update

from bot.message import Lane, Message
from escalation.watch import pageless
from limani.restored import HOLD, OLD, Woken, wake
from store.clock import ManualClock
from store.database import Database, open_database
from store.ids import Ids
from store.schema import attempts, citizens, entries, logins, outbox, pages, people, tickets
from store.vault import Vault, new_key
from tests.bot.floor import Floor, make_floor
from tests.limani.command import Shell, sentence
from tickets.states import AttemptState, PageState


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(os, "nice", lambda _by: 0)  # the test's own process stays as quick as it was
    return Shell(tmp_path)


def test_a_backup_and_its_restore(shell: Shell) -> None:
    assert shell.run("people", "add", "eleni", "--role", "responder").code == 0
    done = shell.run("backup", str(shell.folder / "copy.db"))
    assert done.code == 0, done.err
    assert done.out.startswith(f"{shell.folder / 'copy.db'}: ")
    shell.env["LIMANI_DATABASE_URL"] = f"sqlite:///{shell.folder}/second.db"
    done = shell.run("restore", str(shell.folder / "copy.db"))
    assert done.code == 0, done.err
    assert "gap: nothing after" in done.out
    assert "eleni" in shell.run("people", "list").out


def test_every_no_is_one_sentence(shell: Shell) -> None:
    copy = str(shell.folder / "copy.db")
    assert "there is no SQLite file" in sentence(shell.run("backup", copy))
    assert shell.run("people", "add", "eleni", "--role", "responder").code == 0
    assert shell.run("backup", copy).code == 0
    assert "exists already" in sentence(shell.run("backup", copy))
    assert "there is no folder" in sentence(shell.run("backup", str(shell.folder / "none" / "x.db")))
    assert "not empty" in sentence(shell.run("restore", copy))
    assert "there is no file" in sentence(shell.run("restore", copy + "x"))
    (shell.folder / "strange").write_text("pigeons")
    shell.env["LIMANI_DATABASE_URL"] = f"sqlite:///{shell.folder}/second.db"
    assert "no backup of limani" in sentence(shell.run("restore", str(shell.folder / "strange")))
    shell.env["LIMANI_SECRET_KEYS"] = ""
    assert "LIMANI_SECRET_KEYS is missing" in sentence(shell.run("restore", copy))


async def test_a_backup_that_other_keys_sealed_is_not_put_back(
    shell: Shell, clock: ManualClock, ids: Ids, vault: Vault
) -> None:
    database = await open_database(shell.env["LIMANI_DATABASE_URL"])
    await make_floor(database, clock, ids, vault).meet()
    await database.close()
    copy = str(shell.folder / "copy.db")
    assert (await asyncio.to_thread(shell.run, "backup", copy)).code == 0
    shell.env |= {"LIMANI_DATABASE_URL": f"sqlite:///{shell.folder}/second.db"}
    good = shell.env["LIMANI_SECRET_KEYS"]
    shell.env["LIMANI_SECRET_KEYS"] = new_key()
    assert "LIMANI_SECRET_KEYS does not open this backup" in sentence(
        await asyncio.to_thread(shell.run, "restore", copy)
    )
    assert not (shell.folder / "second.db").exists()
    shell.env["LIMANI_SECRET_KEYS"] = f"{new_key()},{good}"
    assert (await asyncio.to_thread(shell.run, "restore", copy)).code == 0


async def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(
    shell: Shell, clock: ManualClock, ids: Ids
) -> None:
    database = await open_database(shell.env["LIMANI_DATABASE_URL"])
    rows = [{"id": ids.new(), "created_at": clock.now(), "language": "x" * 800} for _ in range(30_000)]
    await database.write(lambda tx: tx.execute(insert(citizens), rows) and None)
    await database.close()
    target = shell.folder / "copy.db"
    environment = {name: value for name, value in shell.whole_env().items() if value is not None}
    command = [sys.executable, "-m", "limani", "backup", str(target)]
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        while not target.with_name("copy.db.partial").exists():
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    done = await asyncio.to_thread(shell.run, "backup", str(target))
    assert done.code == 0, done.err
    assert [path.name for path in shell.folder.glob("*.partial*")] == []


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


async def _paged(floor: Floor, ref: str, state: PageState = PageState.ringing) -> int:
    ticket = await floor.open_ticket(await floor.meet(ref), ref, risk="red", risk_kind="suicide")

    def work(tx: Connection) -> int:
        now = floor.clock.now()
        floor.record.need_page(tx, ticket, now)
        page: int = tx.execute(select(pages.c.id).where(pages.c.ticket_id == ticket)).scalar_one()
        owner = {"acknowledged_by": "eleni", "acknowledged_at": now, "contact_due_at": now}
        values = owner if state is PageState.acknowledged else {}
        tx.execute(update(pages).where(pages.c.id == page).values(state=state, **values))
        call = {"round": 0, "step": 0, "person": "eleni", "means": "voice", "at": now, "tries": 1}
        call |= {"keys": "45", "provider_seq": 0, "due_at": now, "state": AttemptState.ringing}
        tx.execute(insert(attempts).values(id=floor.ids.new(), page_id=page, **call))
        return page

    return await floor.write(work)


async def _wake(floor: Floor) -> Woken:
    return await floor.write(lambda tx: wake(tx, floor.record, floor.clock.now()))


async def _page(floor: Floor, page: int) -> tuple[str, datetime, str]:
    def work(tx: Connection) -> tuple[str, datetime, str]:
        row = tx.execute(select(pages).where(pages.c.id == page)).one()
        state = tx.execute(select(attempts.c.state).where(attempts.c.page_id == page)).scalar_one()
        return row.state, row.due_at, state

    return await floor.write(work)


async def test_an_old_page_waits_for_a_humans_eye_and_a_young_one_rings_on(floor: Floor) -> None:
    old = await _paged(floor, "HRK-7F3K")
    floor.pass_time(seconds=OLD.total_seconds() + 1)
    young = await _paged(floor, "HRK-7F3A")
    woken = await _wake(floor)
    assert (woken.held, woken.rings) == (("HRK-7F3K",), 1)
    now = floor.clock.now()
    assert await _page(floor, old) == (PageState.exhausted, now + HOLD, AttemptState.cancelled)
    assert (await _page(floor, young))[::2] == (PageState.ringing, AttemptState.ringing)
    assert await floor.db.read(pageless) == []  # nobody makes a new page behind its back
    told = select(func.count()).where(entries.c.kind == "page")
    assert await floor.db.read(lambda tx: tx.execute(told).scalar_one()) == 1


async def test_whoever_had_taken_a_case_gets_the_whole_second_clock_again(floor: Floor) -> None:
    taken = await _paged(floor, "HRK-7F3K", PageState.acknowledged)
    floor.pass_time(hours=12)
    woken = await _wake(floor)
    assert woken.held == ()

    def contact(tx: Connection) -> datetime:
        due: datetime = tx.execute(select(pages.c.contact_due_at).where(pages.c.id == taken)).scalar_one()
        return due

    assert await floor.db.read(contact) == floor.clock.now() + HOLD


async def test_old_messages_are_not_sent_into_another_day(floor: Floor) -> None:
    citizen = await floor.meet()
    ticket = await floor.open_ticket(citizen, "HRK-7F3K")
    await floor.tell(citizen, Message("a.b", "παλιό", ticket=ticket))
    await floor.tell(citizen, Message("crisis.stay", "Είμαι εδώ", lane=Lane.urgent))
    floor.pass_time(hours=12)
    await floor.tell(citizen, Message("a.c", "καινούργιο"))
    assert (await _wake(floor)).unsent == 1
    query = select(outbox.c.key, outbox.c.state, outbox.c.doubts).order_by(outbox.c.id)
    rows = [tuple(row) for row in await floor.db.read(lambda tx: tx.execute(query).all())]
    assert rows == [("a.b", "failed", 0), ("crisis.stay", "unknown", 1), ("a.c", "due", 0)]


async def test_nobody_stays_signed_in(floor: Floor) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)

    def sign_in(tx: Connection) -> None:
        tx.execute(
            insert(people).values(name="eleni", role="responder", password="x", language="el", created_at=now)
        )
        tx.execute(insert(logins).values(token_hash="a" * 64, person="eleni", created_at=now, seen_at=now))

    await floor.write(sign_in)
    await _wake(floor)
    assert await floor.db.read(lambda tx: tx.execute(select(func.count(logins.c.person))).scalar_one()) == 0


async def test_the_newest_sign_of_life_is_told(floor: Floor) -> None:
    await floor.meet()
    at = floor.clock.now()
    floor.pass_time(hours=12)
    assert (await _wake(floor)).newest == at
    assert timedelta(hours=12) == floor.clock.now() - at
    assert await floor.db.read(lambda tx: tx.execute(select(tickets)).all()) == []
