"""Who is signed in: server-side sessions, found by the hash of a random token that only the browser has.

A session ends after 12 idle hours, after 24 hours in all, at sign-out, and when the account is disabled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from store.schema import logins, people

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(hours=24)
_NOTE_EVERY = timedelta(minutes=1)  # how exactly we know when somebody was last here


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the staff, as of this request: a change of role counts at once."""

    name: str
    role: str
    language: str

    @property
    def supervises(self) -> bool:
        """Whether he or she may review cases."""
        return self.role == "supervisor"


def hash_token(token: str) -> str:
    """How the table knows a token: whoever reads the table cannot sign in with it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def begin(tx: Connection, person: str, token: str, now: datetime) -> None:
    """Opens a session under a fresh 256-bit token, and forgets those that are over."""
    over = or_(logins.c.seen_at < now - IDLE, logins.c.created_at < now - ABSOLUTE)
    tx.execute(delete(logins).where(over))
    values = {"token_hash": hash_token(token), "person": person, "created_at": now, "seen_at": now}
    tx.execute(insert(logins).values(**values))


def find(tx: Connection, token: str, now: datetime) -> tuple[Person, bool] | None:
    """Whose living session a token opens, and whether `seen` has to note it; None for nobody's."""
    row = tx.execute(
        select(people.c.name, people.c.role, people.c.language, logins.c.seen_at)
        .join(people, people.c.name == logins.c.person)
        .where(
            logins.c.token_hash == hash_token(token),
            logins.c.seen_at >= now - IDLE,
            logins.c.created_at >= now - ABSOLUTE,
            people.c.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    return Person(row.name, row.role, row.language), row.seen_at < now - _NOTE_EVERY


def seen(tx: Connection, token: str, now: datetime) -> None:
    """Notes that the person did something: the idle time begins anew."""
    tx.execute(update(logins).where(logins.c.token_hash == hash_token(token)).values(seen_at=now))


def end(tx: Connection, token: str) -> None:
    """Ends one session."""
    tx.execute(delete(logins).where(logins.c.token_hash == hash_token(token)))


def speak(tx: Connection, person: str, language: str) -> None:
    """Keeps the language that somebody chose."""
    tx.execute(update(people).where(people.c.name == person).values(language=language))
