"""What a web chat shows: the citizen's inbox rows and our outbox rows, merged by id.

The database is the only memory: a reload, a lost connection or a restart of the server changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, select

from bot.citizens import Citizens
from bot.inbox import StimulusState
from bot.message import Lane, MessageState
from bot.outbox import Outbox
from flows.session import StimulusKind
from store.ids import to_base32
from store.schema import inbox, outbox
from store.vault import SealBroken, Vault

NAME = "web"
OVERLAP = 10_000 << 22  # ids of 10 s: a row may be committed a little after one with a greater id
_MOST = 400  # rows of each kind; the beginning of an older chat stays with the ticket
_SHOWN = (
    StimulusKind.said.value,
    StimulusKind.edited.value,
    StimulusKind.tapped.value,
    StimulusKind.located.value,
    StimulusKind.shared_phone.value,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the chat. by: citizen, bot, human. `mine` is the id that the browser gave its message."""

    id: int
    by: str
    kind: str
    text: str
    at: datetime
    buttons: tuple[tuple[str, str], ...] = ()  # token, label
    urgent: bool = False
    location: bool = False
    mine: str = ""
    key: str = ""  # which text it is, so that the page knows a question that is over

    def as_json(self) -> dict[str, Any]:
        """Ids as text: JavaScript rounds 19 digits."""
        return {
            "id": str(self.id),
            "by": self.by,
            "kind": self.kind,
            "text": self.text,
            "at": int(self.at.timestamp() * 1000),
            "buttons": [list(button) for button in self.buttons],
            "urgent": self.urgent,
            "location": self.location,
            "mine": self.mine,
            "key": self.key,
        }


@dataclass(frozen=True, slots=True)
class News:
    """What is new for one browser. `working` = a message of the citizen has not had its turn yet."""

    citizen: int | None
    items: tuple[Item, ...] = ()
    working: bool = False


class History:
    """Reads chats."""

    def __init__(self, vault: Vault, citizens: Citizens, outbox: Outbox) -> None:
        self._vault = vault
        self._citizens = citizens
        self._outbox = outbox

    def news(self, tx: Connection, address: str, after: int, known: Collection[int] = ()) -> News:
        """Everything after the row id `after`, and what came late just before it, without the `known`."""
        citizen = self._citizens.find(tx, NAME, address)
        if citizen is None:
            return News(None)
        since = max(0, after - OVERLAP)
        rows = [(row, self._said) for row in _heard(tx, citizen, since)]
        rows += [(row, self._told) for row in _spoken(tx, citizen, since)]
        fresh = sorted(
            ((row, read) for row, read in rows if row.id not in known), key=lambda pair: pair[0].id
        )
        items = tuple(item for row, read in fresh if (item := read(tx, row)) is not None)
        return News(citizen, items, _working(tx, citizen))

    def _said(self, tx: Connection, row: Row[Any]) -> Item | None:
        try:
            body = json.loads(self._vault.open("inbox", row.id, "body", row.body))
        except SealBroken:
            return None
        text = str(body.get("text", ""))
        if row.kind == StimulusKind.tapped:
            button = self._outbox.button(tx, row.citizen_id, str(body.get("button", "")))
            text = button.label if button else text
        mine = row.provider_key.partition(":")[2]
        return Item(row.id, "citizen", row.kind, text, row.received_at, mine=mine)

    def _told(self, tx: Connection, row: Row[Any]) -> Item | None:
        try:
            body = self._outbox.open(row.id, row.body)
        except SealBroken:
            return None
        by = "human" if row.key == "human" else "bot"
        token = to_base32(row.id)
        buttons = tuple((f"~{token}.{n}", label) for n, (_, label) in enumerate(body["buttons"]))
        urgent = row.lane == Lane.urgent
        return Item(
            row.id,
            by,
            "said",
            body["text"],
            row.created_at,
            buttons,
            urgent,
            bool(body["location"]),
            key=row.key,
        )


def _heard(tx: Connection, citizen: int, since: int) -> list[Row[Any]]:
    mine = and_(inbox.c.citizen_id == citizen, inbox.c.channel == NAME, inbox.c.kind.in_(_SHOWN))
    query = select(inbox).where(mine, inbox.c.id > since).order_by(inbox.c.id.desc()).limit(_MOST)
    return list(tx.execute(query).all())


def _spoken(tx: Connection, citizen: int, since: int) -> list[Row[Any]]:
    mine = and_(outbox.c.citizen_id == citizen, outbox.c.channel == NAME)
    good = outbox.c.state != MessageState.failed
    query = select(outbox).where(mine, good, outbox.c.id > since).order_by(outbox.c.id.desc()).limit(_MOST)
    return list(tx.execute(query).all())


def _working(tx: Connection, citizen: int) -> bool:
    pending = inbox.c.state.in_((StimulusState.new, StimulusState.taken))
    return bool(tx.execute(select(exists().where(and_(inbox.c.citizen_id == citizen, pending)))).scalar())
