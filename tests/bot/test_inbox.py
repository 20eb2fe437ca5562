"""The inbox: order for each citizen, duplicates without effect, leases that come back, and the fence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, func, select, update

from bot.door import Door
from bot.inbox import LostLease, StimulusState, Taken
from bot.incoming import NotUnderstood
from bot.spool import Spool
from flows.session import StimulusKind
from store.bell import Bell
from store.clock import ManualClock
from store.database import Database
from store.ids import Ids
from store.schema import addresses, citizens, inbox
from store.vault import Vault
from tests.bot.floor import Floor, make_floor, said


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


async def take(floor: Floor, owner: str = "one", most: int = 32) -> list[Taken]:
    return await floor.write(lambda tx: floor.inbox.claim(tx, owner, floor.clock.now(), most))


async def finish(floor: Floor, taken: Taken, state: StimulusState = StimulusState.done) -> None:
    await floor.write(lambda tx: floor.inbox.finish(tx, taken, state, floor.clock.now()))


def texts(taken: Iterable[Taken]) -> list[str]:
    return [str(one.body["text"]) for one in taken]


def count(tx: Connection) -> tuple[int, int, int]:
    tables = (inbox, citizens, addresses)
    numbers = [tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
    return numbers[0], numbers[1], numbers[2]


async def test_a_duplicate_changes_nothing(floor: Floor) -> None:
    assert await floor.hear("1001", "u1", "πρώτο")
    assert not await floor.hear("1001", "u1", "πρώτο")
    assert not await floor.hear("2002", "u1", "άλλο κείμενο, άλλος αποστολέας")
    assert await floor.db.read(count) == (1, 1, 1)
    assert texts(await take(floor)) == ["πρώτο"]


async def test_the_same_key_on_another_channel_is_another_message(floor: Floor) -> None:
    assert await floor.hear("1001", "u1")
    assert await floor.hear("1001", "u1", channel="viber")
    assert await floor.db.read(count) == (2, 2, 2)


async def test_duplicates_at_the_same_moment_are_one(floor: Floor) -> None:
    await floor.meet("1001")
    fresh = await asyncio.gather(*(floor.hear("1001", "u7") for _ in range(10)))
    assert sum(fresh) == 1


async def test_a_strangers_first_messages_at_the_same_moment_are_all_kept(floor: Floor) -> None:
    fresh = await asyncio.gather(*(floor.hear("1001", f"u{n}") for n in range(10)))
    assert all(fresh)
    assert await floor.db.read(count) == (10, 1, 1)


async def test_one_citizens_stimuli_come_one_at_a_time_in_order(floor: Floor) -> None:
    for number in range(4):
        await floor.hear("1001", f"u{number}", f"{number}")
    heard = []
    for _ in range(4):
        (taken,) = await take(floor)
        assert await take(floor, "two") == []
        heard += texts([taken])
        await finish(floor, taken)
    assert heard == ["0", "1", "2", "3"]
    assert await take(floor) == []


async def test_different_citizens_do_not_wait_for_each_other(floor: Floor) -> None:
    for number in range(6):
        await floor.hear(f"{number % 3}", f"u{number}", f"{number}")
    assert texts(await take(floor)) == ["0", "1", "2"]


async def test_two_workers_never_take_the_same(floor: Floor) -> None:
    for number in range(40):
        await floor.hear(f"{number}", f"u{number}", f"{number}")
    batches = await asyncio.gather(*(take(floor, f"worker{n}", 10) for n in range(6)))
    ids = [taken.id for batch in batches for taken in batch]
    assert len(ids) == len(set(ids))
    rest = await take(floor, "last", 100)
    assert len(ids) + len(rest) == 40


async def test_a_lease_that_runs_out_gives_the_stimulus_back(floor: Floor) -> None:
    await floor.hear("1001", "u1")
    (first,) = await take(floor)
    floor.pass_time(seconds=2.9)
    assert await take(floor, "two") == []
    floor.pass_time(seconds=1.2)
    (second,) = await take(floor, "two")
    assert (second.id, second.attempts, first.attempts) == (first.id, 2, 1)


async def test_a_slow_worker_cannot_finish_what_another_has_taken_over(floor: Floor) -> None:
    await floor.hear("1001", "u1")
    (slow,) = await take(floor)
    floor.pass_time(seconds=11)
    (quick,) = await take(floor, "two")

    def late_turn(tx: Connection) -> None:
        floor.inbox.put_inner(tx, slow.citizen_id, StimulusKind.timed_out, "w1", floor.clock.now())
        floor.inbox.finish(tx, slow, StimulusState.done, floor.clock.now())

    with pytest.raises(LostLease):
        await floor.write(late_turn)
    assert (await floor.db.read(count))[0] == 1, "the late turn's work must be rolled back"
    await finish(floor, quick)
    with pytest.raises(LostLease):
        await finish(floor, quick)


async def test_a_failed_turn_gives_its_stimulus_back_at_its_place(floor: Floor) -> None:
    await floor.hear("1001", "u1", "α")
    await floor.hear("1001", "u2", "β")
    (taken,) = await take(floor)
    await finish(floor, taken, StimulusState.new)
    (again,) = await take(floor, "two")
    assert (again.body["text"], again.attempts) == ("α", 2)


async def test_what_is_quarantined_holds_nobody_up(floor: Floor) -> None:
    await floor.hear("1001", "u1", "α")
    await floor.hear("1001", "u2", "β")
    (taken,) = await take(floor)
    await finish(floor, taken, StimulusState.quarantined)
    assert texts(await take(floor)) == ["β"]


@pytest.mark.parametrize("broken", [{"body": b"junk"}, {"kind": "of_tomorrow"}])
async def test_a_row_that_does_not_open_stops_nobody(floor: Floor, broken: dict[str, object]) -> None:
    await floor.hear("1001", "u1", "χαλασμένο")
    await floor.write(lambda tx: tx.execute(update(inbox).values(**broken)))
    await floor.hear("1001", "u2", "επόμενο")
    await floor.hear("2002", "u3", "άλλος")
    assert texts(await take(floor)) == ["άλλος"]
    assert texts(await take(floor)) == ["επόμενο"]
    query = select(inbox.c.state).order_by(inbox.c.id).limit(1)
    assert await floor.db.read(lambda tx: tx.execute(query).scalar_one()) == "quarantined"


async def test_a_strange_body_is_kept_once_and_nobody_takes_it(floor: Floor) -> None:
    strange = NotUnderstood("telegram", "x1", '{"odd": 1}', "not an update")

    def put(tx: Connection) -> bool:
        return floor.inbox.put_strange(tx, strange, floor.clock.now())

    assert [await floor.write(put), await floor.write(put)] == [True, False]
    assert await take(floor) == []
    assert await floor.db.read(floor.inbox.depth) == (0, None)


async def test_peoples_own_actions_stand_in_the_same_queue(floor: Floor) -> None:
    citizen = await floor.meet("1001")

    def put(tx: Connection) -> bool:
        kind = StimulusKind.page_acknowledged
        return floor.inbox.put_inner(
            tx, citizen, kind, "page:1:ack:1", floor.clock.now(), by="nikos", ref="HRK-7"
        )

    assert [await floor.write(put), await floor.write(put)] == [True, False]
    (hello,) = await take(floor)
    await finish(floor, hello)
    (acknowledged,) = await take(floor)
    assert (acknowledged.kind, acknowledged.channel) == (StimulusKind.page_acknowledged, "telegram")
    assert acknowledged.body == {"by": "nikos", "ref": "HRK-7"}


async def test_depth_tells_how_many_wait_and_since_when(floor: Floor) -> None:
    assert await floor.db.read(floor.inbox.depth) == (0, None)
    since = floor.clock.now()
    await floor.hear("1001", "u1")
    floor.pass_time(seconds=5)
    await floor.hear("2002", "u2")
    assert await floor.db.read(floor.inbox.depth) == (2, since)
    for taken in await take(floor):
        await finish(floor, taken)
    assert await floor.db.read(floor.inbox.depth) == (0, None)


async def test_a_restart_gives_back_what_was_taken(floor: Floor) -> None:
    await floor.hear("1001", "u1")
    await take(floor)
    assert await floor.write(floor.inbox.release_all) == 1
    assert len(await take(floor, "two")) == 1


async def test_nothing_a_citizen_wrote_is_readable_in_the_rows(floor: Floor) -> None:
    await floor.write(
        lambda tx: floor.inbox.put(tx, said("306900000077", "u1", "μυστικό"), floor.clock.now())
    )
    rows = await floor.db.read(
        lambda tx: [str(tx.execute(select(table)).all()).encode() for table in (inbox, addresses, citizens)]
    )
    whole = b"".join(rows)
    for secret in ("μυστικό", "306900000077", "Μαρία"):
        assert secret.encode() not in whole
        assert repr(secret.encode())[2:-1].encode() not in whole


async def test_who_writes_again_is_reachable_again(floor: Floor) -> None:
    citizen = await floor.meet("1001")
    await floor.write(lambda tx: floor.citizens.left(tx, "telegram", "1001", floor.clock.now()))
    state = select(addresses.c.state).where(addresses.c.citizen_id == citizen)
    assert await floor.db.read(lambda tx: tx.execute(state).scalar_one()) == "blocked"
    await floor.hear("1001", "u2")
    assert await floor.db.read(lambda tx: tx.execute(state).scalar_one()) == "open"


async def test_two_processes_that_draw_the_same_id_lose_nothing(
    database: Database, clock: ManualClock, vault: Vault, tmp_path: Path
) -> None:
    """The same seed draws the same ids: what was answered 200 is kept all the same."""
    floors = [make_floor(database, clock, Ids(clock, Random(3)), vault) for _ in range(2)]
    doors = [
        Door(
            *(database, Bell(), clock, one.inbox, one.outbox, one.citizens),
            *(Spool(tmp_path / f"spool-{number}", vault), one.record),
        )
        for number, one in enumerate(floors)
    ]
    for number in range(5):
        for door, address in zip(doors, ("1001", "2002"), strict=True):
            assert await door.accept(said(address, f"{address}-{number}"))
    keys = await database.read(lambda tx: list(tx.execute(select(inbox.c.provider_key)).scalars()))
    assert sorted(keys) == sorted(f"{who}-{number}" for who in ("1001", "2002") for number in range(5))
