"""Staff accounts: add, list, disable, and check a password.

An unknown name costs as much time as a known one, and no number of wrong passwords closes an account:
nobody may lock out the person on call. The console slows down the place that guesses.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, select, update

from escalation.roster import Role
from store.database import Database
from store.insert import insert_once
from store.schema import logins, people

SHORTEST, LONGEST = 10, 200  # letters of a password
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_AT_ONCE = 2  # argon2 is meant to be costly: more at once would starve the conversations


class PeopleError(ValueError):
    """An account that cannot be made. One sentence for whoever asked."""


async def hash_password(password: str) -> str:
    """The argon2id hash of a password that is good enough. Raises PeopleError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PeopleError(f"A password has {SHORTEST} to {LONGEST} letters.")
    if len(set(password)) < 5:
        raise PeopleError("This password is too easy to guess: use more different letters.")
    return str(await _aside(_hasher().hash, password))


def add(tx: Connection, name: str, role: str, hashed: str, now: datetime, language: str = "el") -> None:
    """Makes an account. One that exists gets this role and password, and its sessions end.

    Raises PeopleError for a name or role that cannot be."""
    if not _NAME.fullmatch(name):
        raise PeopleError("A name is the roster key: small Latin letters and digits, a letter first.")
    if role not in list(Role):
        raise PeopleError("A role is responder or supervisor.")
    values = {"role": role, "password": hashed, "language": language, "failures": 0, "disabled_at": None}
    if not insert_once(tx, people, "name", name=name, created_at=now, **values):
        tx.execute(update(people).where(people.c.name == name).values(**values))
        _sign_out(tx, name)


def list_all(tx: Connection) -> list[dict[str, object]]:
    """All accounts by name: name, role, language, disabled."""
    rows = tx.execute(select(people).order_by(people.c.name)).all()
    return [
        {
            "name": row.name,
            "role": row.role,
            "language": row.language,
            "disabled": row.disabled_at is not None,
        }
        for row in rows
    ]


def disable(tx: Connection, name: str, now: datetime) -> bool:
    """Ends an account and its sessions at once. False if there is none that is open."""
    still_open = (people.c.name == name, people.c.disabled_at.is_(None))
    ended = tx.execute(update(people).where(*still_open).values(disabled_at=now)).rowcount == 1
    _sign_out(tx, name)
    return ended


class Accounts:
    """Checks passwords."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def check(self, name: str, password: str) -> bool:
        """Whether this is the password of an open account; right and wrong take the same time."""
        row = await self._db.read(lambda tx: _open_account(tx, name))
        hashed = row.password if row is not None else await _aside(_nobodys_hash)
        good = bool(await _aside(_matches, hashed, password[: LONGEST + 1])) and row is not None
        await self._db.write(lambda tx: _count(tx, name, good))
        return good


def _count(tx: Connection, name: str, good: bool) -> None:
    """Failures are kept for the supervisor to see; they never stand in anybody's way."""
    failures = 0 if good else people.c.failures + 1
    tx.execute(update(people).where(people.c.name == name).values(failures=failures))


def _sign_out(tx: Connection, name: str) -> None:
    tx.execute(logins.delete().where(logins.c.person == name))


def _open_account(tx: Connection, name: str) -> Row[Any] | None:
    return tx.execute(select(people).where(people.c.name == name, people.c.disabled_at.is_(None))).first()


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")


async def _aside(work: Any, *arguments: str) -> Any:
    """Hashing lasts: it happens in a few threads of its own."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), work, *arguments)
