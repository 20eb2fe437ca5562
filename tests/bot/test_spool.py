"""The spool: what the store could not take is on disk, sealed, and comes back through the same door."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select

from bot import spool as spools
from bot.door import Door
from bot.incoming import Arrival, Incoming, Left, NotUnderstood, Receipt
from bot.spool import Spool, SpoolFull
from flows.session import StimulusKind
from store.bell import Bell
from store.clock import ManualClock
from store.database import Database, StoreUnavailable, Work
from store.ids import Ids
from store.schema import inbox
from store.vault import Vault, new_key
from tests.bot.floor import Floor, make_floor, said

T = TypeVar("T")
ARRIVALS: list[Arrival] = [
    said("1001", "u1", "δεν έχω φαγητό\nκαι ρεύμα"),
    Incoming("web", "w1", "token", StimulusKind.located, place=(35.33, 25.13)),
    Receipt("viber", "99", "delivered"),
    Left("viber", "abc"),
    NotUnderstood("telegram", "x1", '{"odd": "σώμα"}', "not an update"),
]


@pytest.fixture
def spool(tmp_path: Path, vault: Vault) -> Spool:
    return Spool(tmp_path / "var" / "spool", vault)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "spool"


async def fill(spool: Spool, *arrivals: Arrival) -> None:
    for arrival in arrivals:
        await spool.append(arrival)


async def test_every_kind_of_arrival_comes_back_as_it_was(spool: Spool) -> None:
    await fill(spool, *ARRIVALS)
    assert spool.read() == (ARRIVALS, spool.size())


async def test_nothing_in_the_file_can_be_read(spool: Spool, path: Path) -> None:
    await fill(spool, *ARRIVALS)
    content = path.read_bytes()
    for secret in ("φαγητό", "1001", "Μαρία", "token", "abc", "σώμα", "telegram"):
        assert secret.encode() not in content


async def test_a_torn_last_line_is_left_out(spool: Spool, path: Path) -> None:
    await fill(spool, *ARRIVALS[:3])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    arrivals, reached = spool.read()
    assert arrivals == ARRIVALS[:2]
    spool.forget(reached)
    assert spool.size() == 0


async def test_what_comes_after_a_torn_line_is_not_lost_with_it(spool: Spool, path: Path) -> None:
    await fill(spool, *ARRIVALS[:2])
    path.write_bytes(path.read_bytes()[:-20])
    await fill(spool, ARRIVALS[4])
    assert spool.read()[0] == [ARRIVALS[0], ARRIVALS[4]]


async def test_a_line_that_no_key_opens_is_put_aside_and_holds_nobody_up(
    spool: Spool, path: Path, tmp_path: Path
) -> None:
    await Spool(path, Vault([new_key()])).append(ARRIVALS[0])
    foreign = path.read_bytes()
    await fill(spool, ARRIVALS[1])
    arrivals, reached = spool.read()
    assert arrivals == [ARRIVALS[1]]
    spool.forget(reached)
    kept = [file.read_bytes() for file in path.parent.iterdir() if file != path]
    assert kept == [foreign]


async def test_what_arrives_while_others_are_replayed_stays(spool: Spool) -> None:
    await fill(spool, *ARRIVALS[:2])
    _, reached = spool.read()
    await fill(spool, ARRIVALS[2])
    spool.forget(reached)
    assert spool.read()[0] == [ARRIVALS[2]]


async def test_every_append_is_on_disk_before_it_returns(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real: Callable[[int], None] = os.fsync

    def fsync(file: int) -> None:
        synced.append(file)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    await fill(spool, ARRIVALS[0])
    assert len(synced) == 2, "the file, and the folder that names it"
    await fill(spool, ARRIVALS[1])
    assert len(synced) == 3


async def test_a_full_spool_says_so(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(spool, ARRIVALS[0])
    monkeypatch.setattr(spools, "MOST_BYTES", spool.size() + 10)
    with pytest.raises(SpoolFull):
        await spool.append(ARRIVALS[1])
    assert spool.read()[0] == ARRIVALS[:1]


async def test_a_disk_that_does_not_take_it_says_so(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SpoolFull):
        await Spool(tmp_path / "file" / "spool", vault).append(ARRIVALS[0])


async def test_a_line_that_did_not_reach_the_disk_is_taken_back(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(spool, ARRIVALS[0])
    before = spool.size()

    def full(file: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(SpoolFull):
            await spool.append(ARRIVALS[1])
    assert spool.size() == before
    await fill(spool, ARRIVALS[2])
    assert spool.read()[0] == [ARRIVALS[0], ARRIVALS[2]]


async def test_many_at_once_are_all_kept(spool: Spool) -> None:
    arrivals = [said("1001", f"u{number}") for number in range(50)]
    await asyncio.gather(*(spool.append(arrival) for arrival in arrivals))
    kept = {arrival.provider_key for arrival in spool.read()[0] if isinstance(arrival, Incoming)}
    assert kept == {f"u{number}" for number in range(50)}


class Flaky:
    """A database that can be switched off, or made to lose the answer of what it has committed."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.off = False
        self.deaf = False

    async def write(self, work: Work[T]) -> T:
        if self.off:
            raise StoreUnavailable("off")
        result = await self.db.write(work)
        if self.deaf:
            raise StoreUnavailable("the answer was lost")
        return result

    async def read(self, work: Work[T]) -> T:
        return await self.db.read(work)

    async def close(self) -> None:
        await self.db.close()


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


def door_of(floor: Floor, db: Flaky, spool: Spool) -> Door:
    return Door(db, Bell(), floor.clock, floor.inbox, floor.outbox, floor.citizens, spool, floor.record)


async def heard(floor: Floor) -> list[str]:
    query = select(inbox.c.provider_key).order_by(inbox.c.id)
    return await floor.db.read(lambda tx: list(tx.execute(query).scalars()))


async def test_the_door_spills_and_replays_in_order(floor: Floor, spool: Spool) -> None:
    db = Flaky(floor.db)
    door = door_of(floor, db, spool)
    db.off = True
    for number in range(3):
        assert await door.accept(said("1001", f"u{number}"))
    assert await heard(floor) == []
    with pytest.raises(StoreUnavailable):
        await door.replay()
    assert len(spool.read()[0]) == 3
    db.off = False
    await door.replay()
    assert await heard(floor) == ["u0", "u1", "u2"]
    assert spool.size() == 0
    await door.replay()
    assert await heard(floor) == ["u0", "u1", "u2"]


async def test_a_replay_of_what_was_kept_after_all_changes_nothing(floor: Floor, spool: Spool) -> None:
    db = Flaky(floor.db)
    door = door_of(floor, db, spool)
    db.deaf = True
    await door.accept(said("1001", "u1"))
    await door.accept(ARRIVALS[4])
    db.deaf = False
    assert spool.size() > 0
    await door.replay()
    assert sorted(await heard(floor)) == ["u1", "x1"]


async def test_a_replay_that_breaks_off_is_begun_again(floor: Floor, spool: Spool) -> None:
    db = Flaky(floor.db)
    door = door_of(floor, db, spool)
    db.off = True
    await door.accept(said("1001", "u1"))
    await door.accept(said("1001", "u2"))
    db.off, db.deaf = False, True
    with pytest.raises(StoreUnavailable):
        await door.replay()
    db.deaf = False
    await door.replay()
    assert await heard(floor) == ["u1", "u2"]


async def test_the_door_says_when_neither_store_nor_spool_takes_it(
    floor: Floor, tmp_path: Path, vault: Vault
) -> None:
    (tmp_path / "file").write_text("no folder")
    db = Flaky(floor.db)
    db.off = True
    door = door_of(floor, db, Spool(tmp_path / "file" / "spool", vault))
    with pytest.raises(StoreUnavailable):
        await door.accept(said("1001", "u1"))


async def test_a_slow_store_is_not_waited_for_for_ever(
    floor: Floor, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(Flaky):
        async def write(self, work: Work[T]) -> T:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("bot.door.PATIENCE", 0.05)
    door = door_of(floor, Stuck(floor.db), spool)
    assert await door.accept(said("1001", "u1"))
    assert len(spool.read()[0]) == 1


async def test_the_door_knows_a_duplicate(floor: Floor, spool: Spool) -> None:
    door = door_of(floor, Flaky(floor.db), spool)
    assert [await door.accept(said("1001", "u1")) for _ in range(2)] == [True, False]


class Counting(Flaky):
    """Counts transactions."""

    writes = 0

    async def write(self, work: Work[T]) -> T:
        self.writes += 1
        return await super().write(work)


async def test_what_comes_during_a_commit_goes_into_the_next_one_in_order(floor: Floor, spool: Spool) -> None:
    db = Counting(floor.db)
    door = door_of(floor, db, spool)
    keys = [f"u{number}" for number in range(60)]
    fresh = await asyncio.gather(*(door.accept(said("1001", key)) for key in [*keys, "u7", "u59"]))
    assert fresh == [True] * 60 + [False] * 2
    assert await heard(floor) == keys
    assert db.writes < 6


async def test_an_arrival_that_no_row_takes_is_put_where_a_human_finds_it_and_blocks_nobody(
    floor: Floor, spool: Spool
) -> None:
    class Picky(Flaky):
        async def write(self, work: Work[T]) -> T:
            def refuse(tx: Connection) -> T:
                result = work(tx)
                odd = inbox.c.provider_key == "odd"
                if tx.execute(select(inbox.c.id).where(odd)).first() is not None:
                    raise ValueError("this row is not taken")
                return result

            return await super().write(refuse)

    door = door_of(floor, Picky(floor.db), spool)
    keys = ["u1", "odd", "u2", "u3"]
    assert all(await asyncio.gather(*(door.accept(said("1001", key)) for key in keys)))
    kept = await heard(floor)
    assert [key for key in kept if not key.startswith("odd:")] == ["u1", "u2", "u3"]
    states = select(inbox.c.state).where(inbox.c.provider_key.startswith("odd:"))
    assert await floor.db.read(lambda tx: list(tx.execute(states).scalars())) == ["quarantined"]


async def test_an_odd_arrival_in_the_spool_does_not_keep_the_others_there(floor: Floor, spool: Spool) -> None:
    door = door_of(floor, Flaky(floor.db), spool)
    await spool.append(said("1001", "u1"))
    await spool.append(Left("telegram", None))  # type: ignore[arg-type]  # a line of another release
    await spool.append(said("1001", "u2"))
    await door.replay()
    assert [key for key in await heard(floor) if not key.startswith("odd:")] == ["u1", "u2"]
    assert spool.size() == 0
