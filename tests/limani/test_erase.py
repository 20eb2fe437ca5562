"""Forgetting: the words go, the references, times and outcomes stay; retention does it by age."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from bot.message import Message
from bot.sessions import Sessions
from bot.waits import set_waits
from flows.session import Session
from limani.commands.upkeep import keep_no_longer
from store.clock import ManualClock, rfc3339
from store.database import Database
from store.ids import Ids
from store.schema import addresses, entries, inbox, metadata, outbox, sessions, tickets, waits
from store.vault import Vault
from tests.bot.floor import Floor, make_floor
from tickets.erase import BATCH, Eraser, StillOpen
from tickets.view import show_ticket


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


@pytest.fixture
def eraser(vault: Vault, ids: Ids) -> Eraser:
    return Eraser(vault, ids)


async def a_story(floor: Floor, address: str, ref: str, *, close: bool = True) -> int:
    """A citizen with a conversation, a session, a wait, and a ticket with words of all kinds."""
    citizen = await floor.meet(address)
    ticket = await floor.open_ticket(citizen, ref, answers={"name": "Μαρία"}, district="Πόρος")

    def talk(tx: Connection) -> None:
        now = floor.clock.now()
        floor.record.add(tx, ticket, "citizen", "said", "δεν έχω φαγητό", now)
        floor.record.add(tx, ticket, "nikos", "note", "μένει στον Πόρο", now)
        floor.record.add(tx, ticket, "nikos", "page", "page acknowledged by nikos via voice", now)
        floor.outbox.put(tx, citizen, Message("food_aid.ask", "Πώς σας λένε, Μαρία;"), now)
        Sessions(floor.vault).save(tx, {citizen: Session(answers={"name": "Μαρία"})}, now)
        set_waits(tx, {citizen: ("t1", now + timedelta(hours=1))})
        if close:
            floor.record.close(tx, ticket, "nikos", "helped", now)

    await floor.write(talk)
    return citizen


async def erase(floor: Floor, eraser: Eraser, citizen: int, *, even_open: bool = False) -> int:
    return await floor.write(lambda tx: eraser.erase(tx, citizen, floor.clock.now(), even_open=even_open))


async def all_words(floor: Floor) -> str:
    """Everything sealed in the database, opened."""

    def read(tx: Connection) -> str:
        found = []
        for table, column in (
            (inbox, "body"),
            (outbox, "body"),
            (entries, "text"),
            (tickets, "answers"),
            (addresses, "address"),
            (addresses, "name"),
            (sessions, "state"),
        ):
            (key,) = table.primary_key.columns
            for row, sealed in tx.execute(select(key, table.c[column])).all():
                found.append(floor.vault.open(table.name, row, column, sealed) if sealed else "")
        return "\n".join(found)

    return await floor.db.read(read)


async def test_the_words_go_and_the_log_stays(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "306900000071", "HRK-7F3K")
    opened_at = rfc3339(floor.clock.now())
    assert await erase(floor, eraser, citizen) > 0
    words = await all_words(floor)
    for secret in ("φαγητό", "Μαρία", "Πόρο", "306900000071", "καλημέρα"):
        assert secret not in words
    shown = await floor.db.read(lambda tx: show_ticket(tx, floor.record, "HRK-7F3K"))
    assert shown is not None
    kept = ("opened_at", "topic", "status", "outcome", "answers", "district")
    assert [shown[name] for name in kept] == [opened_at, "food_aid", "closed", "helped", {}, None]
    assert [(line["by"], line["kind"], line["text"]) for line in shown["entries"]] == [
        ("system", "status", "opened"),
        ("citizen", "said", ""),
        ("nikos", "note", ""),
        ("nikos", "page", "page acknowledged by nikos via voice"),
        ("nikos", "status", "closed helped"),
    ]


async def test_nothing_of_another_citizen_is_touched(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K")
    await a_story(floor, "2002", "HRK-7F3A")
    before = await floor.db.read(lambda tx: show_ticket(tx, floor.record, "HRK-7F3A"))
    await erase(floor, eraser, citizen)
    assert await floor.db.read(lambda tx: show_ticket(tx, floor.record, "HRK-7F3A")) == before
    assert [one.address for one in await floor.claim()] == ["2002"]


async def test_an_open_ticket_is_not_erased_unless_told(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K", close=False)
    with pytest.raises(StillOpen) as refused:
        await erase(floor, eraser, citizen)
    assert refused.value.refs == ["HRK-7F3K"]
    assert "φαγητό" in await all_words(floor)
    await erase(floor, eraser, citizen, even_open=True)
    assert "φαγητό" not in await all_words(floor)


async def test_erasing_twice_changes_nothing_more(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K")
    assert await erase(floor, eraser, citizen) > await erase(floor, eraser, citizen)


async def test_what_waited_is_neither_answered_nor_sent(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K")
    await erase(floor, eraser, citizen)
    assert await floor.claim() == []
    assert await floor.write(lambda tx: floor.inbox.claim(tx, "one", floor.clock.now())) == []
    rows = await floor.db.read(
        lambda tx: [tx.execute(select(func.count()).select_from(t)).scalar_one() for t in (sessions, waits)]
    )
    assert rows == [0, 0]


async def test_a_turn_that_is_under_way_writes_nothing(floor: Floor, eraser: Eraser) -> None:
    from bot.inbox import LostLease, StimulusState

    citizen = await a_story(floor, "1001", "HRK-7F3K")
    (taken,) = await floor.write(lambda tx: floor.inbox.claim(tx, "one", floor.clock.now()))
    await erase(floor, eraser, citizen)
    with pytest.raises(LostLease):
        await floor.write(lambda tx: floor.inbox.finish(tx, taken, StimulusState.done, floor.clock.now()))


async def test_who_writes_again_is_a_stranger(floor: Floor, eraser: Eraser) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K")
    await erase(floor, eraser, citizen)
    await floor.hear("1001", "later")
    fresh = await floor.db.read(lambda tx: floor.citizens.find(tx, "telegram", "1001"))
    assert fresh not in (None, citizen)


async def retain(floor: Floor, eraser: Eraser, days: int = 90) -> tuple[int, int]:
    return await keep_no_longer(floor.db, eraser, floor.clock.now(), days)


async def serve_turns(floor: Floor) -> None:
    """Everything heard and said has had its turn."""
    from bot.inbox import StimulusState

    for taken in await floor.write(lambda tx: floor.inbox.claim(tx, "one", floor.clock.now())):
        await floor.write(
            lambda tx, one=taken: floor.inbox.finish(tx, one, StimulusState.done, floor.clock.now())  # type: ignore[misc]
        )
    for claimed in await floor.claim():
        await floor.write(lambda tx, one=claimed: floor.outbox.sent(tx, one, "p", floor.clock.now()))  # type: ignore[misc]


async def test_retention_waits_for_the_days_to_pass(floor: Floor, eraser: Eraser) -> None:
    await a_story(floor, "1001", "HRK-7F3K")
    await serve_turns(floor)
    floor.pass_time(days=89)
    assert await retain(floor, eraser) == (0, 0)
    floor.pass_time(days=2)
    values, people = await retain(floor, eraser)
    assert values > 0
    assert people == 1
    words = await all_words(floor)
    assert not any(secret in words for secret in ("φαγητό", "Μαρία", "1001"))
    assert await retain(floor, eraser) == (0, 0)


async def test_retention_leaves_open_tickets_and_their_citizens_alone(floor: Floor, eraser: Eraser) -> None:
    await a_story(floor, "1001", "HRK-7F3K", close=False)
    await serve_turns(floor)
    floor.pass_time(days=400)
    assert await retain(floor, eraser) == (0, 0)
    assert "φαγητό" in await all_words(floor)


async def test_retention_forgets_the_old_ticket_of_somebody_who_still_writes(
    floor: Floor, eraser: Eraser
) -> None:
    citizen = await a_story(floor, "1001", "HRK-7F3K")
    await serve_turns(floor)
    floor.pass_time(days=200)
    await floor.hear("1001", "fresh", "χθεσινά λόγια")
    await serve_turns(floor)
    floor.pass_time(days=1)
    values, people = await retain(floor, eraser)
    assert (values > 0, people) == (True, 0)
    words = await all_words(floor)
    assert "φαγητό" not in words
    assert "χθεσινά λόγια" in words
    assert await floor.db.read(lambda tx: floor.citizens.find(tx, "telegram", "1001")) == citizen


async def test_retention_forgets_conversations_that_never_became_a_ticket(
    floor: Floor, eraser: Eraser
) -> None:
    await floor.hear("1001", "u1", "μια ερώτηση")
    await serve_turns(floor)
    floor.pass_time(days=91)
    assert (await retain(floor, eraser))[1] == 1
    assert "ερώτηση" not in await all_words(floor)


async def test_retention_forgets_bodies_that_nobody_understood(floor: Floor, eraser: Eraser) -> None:
    from bot.incoming import NotUnderstood

    strange = NotUnderstood("telegram", "x1", '{"odd": "λόγια"}', "not an update")
    await floor.write(lambda tx: floor.inbox.put_strange(tx, strange, floor.clock.now()))
    floor.pass_time(days=91)
    await retain(floor, eraser)
    assert "λόγια" not in await all_words(floor)


async def test_retention_works_in_small_bites(floor: Floor, eraser: Eraser) -> None:
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K")

    def fill(tx: Connection) -> None:
        for number in range(BATCH + 50):
            floor.record.add(tx, ticket, "citizen", "said", f"λόγος {number}", floor.clock.now())
        floor.record.close(tx, ticket, "nikos", "helped", floor.clock.now())

    await floor.write(fill)
    floor.pass_time(days=91)
    before = floor.clock.now() - timedelta(days=90)
    bites = [await floor.db.read(lambda tx: eraser.over(tx, before, 0, -1))]
    bites.append(await floor.db.read(lambda tx: eraser.over(tx, before, 0, bites[0][-1])))
    assert [len(bite) for bite in bites] == [BATCH, 50]
    await retain(floor, eraser)
    assert "λόγος" not in await all_words(floor)


async def test_a_case_that_is_opened_again_meanwhile_keeps_its_words(floor: Floor, eraser: Eraser) -> None:
    """Between the look and the change somebody may come back."""
    await a_story(floor, "1001", "HRK-7F3K")
    floor.pass_time(days=91)
    before = floor.clock.now() - timedelta(days=90)
    rows = await floor.db.read(lambda tx: eraser.over(tx, before, 0, -1))
    silent = await floor.db.read(lambda tx: eraser.silent(tx, before, -1))
    assert rows
    assert silent
    ticket = await floor.db.read(lambda tx: tx.execute(select(tickets.c.id)).scalar_one())
    await floor.write(lambda tx: floor.record.reopen(tx, ticket, floor.clock.now()))
    assert await floor.write(lambda tx: eraser.empty(tx, before, 0, rows)) == 0
    assert await floor.write(lambda tx: eraser.forget(tx, before, silent, floor.clock.now())) == 0
    assert "Μαρία" in await all_words(floor)


async def test_a_number_of_days_beyond_all_calendars_is_harmless(floor: Floor, eraser: Eraser) -> None:
    await a_story(floor, "1001", "HRK-7F3K")
    assert await retain(floor, eraser, days=10_000_000) == (0, 0)


def test_every_sealed_column_is_thought_of() -> None:
    """A new sealed column has to be added to tickets/erase.py, and to the list above."""
    from store.schema import Sealed

    sealed = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    }
    assert sealed == {
        "addresses.address",
        "addresses.name",
        "inbox.body",
        "outbox.body",
        "entries.text",
        "tickets.answers",
        "sessions.state",
    }
