"""Where each citizen is: one sealed row, written in the turn that moved it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from bot.inbox import Taken
from flows.session import Session
from flows.session_json import dumps, loads
from store.insert import put
from store.schema import sessions
from store.vault import Vault


class Sessions:
    """Loads and saves sessions."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def load(self, tx: Connection, taken: Taken) -> Session:
        """The session of the stimulus's citizen; a stranger's begins in the language of his or her app."""
        citizen = taken.citizen_id
        query = select(sessions.c.state).where(sessions.c.citizen_id == citizen)
        sealed = tx.execute(query).scalar()
        if sealed is None:
            return _first(str(taken.body.get("language") or ""))
        return loads(self._vault.open("sessions", citizen, "state", sealed))

    def save(self, tx: Connection, citizen: int, session: Session, now: datetime) -> None:
        """Replaces the citizen's session."""
        sealed = self._vault.seal("sessions", citizen, "state", dumps(session))
        put(tx, sessions, "citizen_id", citizen_id=citizen, state=sealed, version=1, updated_at=now)


def _first(hint: str) -> Session:
    """Greek, unless the app says that it speaks English."""
    return Session(language="en" if hint[:2].lower() == "en" else "el")
