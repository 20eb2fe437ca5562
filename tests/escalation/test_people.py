"""Staff accounts: hashed, disabled at once, and never locked out by somebody else's guesses."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from escalation.people import Accounts, PeopleError, add, disable, hash_password, list_all
from store.clock import ManualClock
from store.database import Database
from store.schema import logins, people

PASSWORD = "harbour lamp 42"


async def make(db: Database, clock: ManualClock, name: str = "eleni", role: str = "responder") -> None:
    hashed = await hash_password(PASSWORD)
    await db.write(lambda tx: add(tx, name, role, hashed, clock.now()))


async def test_the_right_password_and_only_that_opens(database: Database, clock: ManualClock) -> None:
    await make(database, clock)
    accounts = Accounts(database)
    assert await accounts.check("eleni", PASSWORD)
    for name, password in (("eleni", "wrong"), ("eleni", ""), ("nobody", PASSWORD), ("eleni", PASSWORD * 99)):
        assert not await accounts.check(name, password)


async def test_no_number_of_wrong_passwords_locks_anybody_out(database: Database, clock: ManualClock) -> None:
    await make(database, clock)
    accounts = Accounts(database)
    for _ in range(12):
        assert not await accounts.check("eleni", "a wrong guess")
    assert await accounts.check("eleni", PASSWORD)


async def test_a_password_is_kept_as_argon2id_only(database: Database, clock: ManualClock) -> None:
    await make(database, clock)
    kept = await database.read(lambda tx: tx.execute(select(people.c.password)).scalar_one())
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


async def test_a_disabled_account_and_its_sessions_end_at_once(
    database: Database, clock: ManualClock
) -> None:
    await make(database, clock)
    session = {"token_hash": "0" * 64, "person": "eleni", "created_at": clock.now(), "seen_at": clock.now()}
    await database.write(lambda tx: tx.execute(insert(logins).values(**session)).rowcount)
    assert await database.write(lambda tx: disable(tx, "eleni", clock.now()))
    assert not await database.write(lambda tx: disable(tx, "eleni", clock.now()))
    assert not await Accounts(database).check("eleni", PASSWORD)
    assert await database.read(lambda tx: tx.execute(select(logins)).all()) == []
    shown = {"name": "eleni", "role": "responder", "language": "el", "disabled": True}
    assert await database.read(list_all) == [shown]


async def test_an_account_made_again_is_open_with_its_new_password(
    database: Database, clock: ManualClock
) -> None:
    await make(database, clock)
    await database.write(lambda tx: disable(tx, "eleni", clock.now()))
    hashed = await hash_password("another lamp 43")
    await database.write(lambda tx: add(tx, "eleni", "supervisor", hashed, clock.now(), "en"))
    accounts = Accounts(database)
    assert await accounts.check("eleni", "another lamp 43")
    assert not await accounts.check("eleni", PASSWORD)


@pytest.mark.parametrize("password", ["short", "", "aaaaaaaaaaaaaaa", "x" * 300])
async def test_a_password_that_is_too_easy_is_refused(password: str) -> None:
    with pytest.raises(PeopleError):
        await hash_password(password)


@pytest.mark.parametrize(("name", "role"), [("Eleni", "responder"), ("", "responder"), ("eleni", "king")])
async def test_a_name_or_role_that_cannot_be_is_refused(
    database: Database, clock: ManualClock, name: str, role: str
) -> None:
    hashed = await hash_password(PASSWORD)
    with pytest.raises(PeopleError):
        await database.write(lambda tx: add(tx, name, role, hashed, clock.now()))
