"""Where each citizen is: one sealed row, written in the turn that moved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from bot.inbox import Taken
from flows.session import Session
from flows.session_json import dumps, loads
from store.prepared import PreparedInsert, PreparedSet
from store.schema import sessions
from store.vault import Vault

_OF = PreparedSet(select(sessions.c.citizen_id, sessions.c.state), sessions.c.citizen_id)
_SAVE = PreparedInsert(sessions, over="citizen_id")


class Sessions:
    """Loads and saves sessions."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def load(self, tx: Connection, taken: Sequence[Taken]) -> Mapping[int, Session]:
        """The session of each stimulus's citizen; a stranger's begins in the language of his or her app."""
        found = {
            row.citizen_id: loads(self._vault.open("sessions", row.citizen_id, "state", row.state))
            for row in _OF.all(tx, [one.citizen_id for one in taken])
        }
        strangers = (one for one in taken if one.citizen_id not in found)
        return found | {one.citizen_id: _first(str(one.body.get("language") or "")) for one in strangers}

    def save(self, tx: Connection, several: Mapping[int, Session], now: datetime) -> None:
        """Replaces the sessions of these citizens."""
        rows = [
            {
                "citizen_id": citizen,
                "state": self._vault.seal("sessions", citizen, "state", dumps(session)),
                "version": 1,
                "updated_at": now,
            }
            for citizen, session in several.items()
        ]
        _SAVE.many(tx, rows)


def _first(hint: str) -> Session:
    """Greek, unless the app says that it speaks English."""
    return Session(language="en" if hint[:2].lower() == "en" else "el")
