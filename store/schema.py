"""All tables. One relational store is the only record (docs/decisions/0001).

Times are microseconds since 1970 in UTC (type UtcTime); ids come from store.ids; what a citizen said,
who and where he or she is, are Sealed columns: bytes that only the vault opens.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    or_,
)

from store.clock import from_micros, to_micros


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, stored as microseconds: the same comparison on every database."""

    impl = BigInteger
    cache_ok = True

    @staticmethod
    def to_driver(value: datetime | None) -> int | None:
        """As both drivers take it."""
        return None if value is None else to_micros(value)

    @staticmethod
    def from_driver(value: Any) -> datetime | None:
        """As both drivers give it."""
        return None if value is None else from_micros(value)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return self.to_driver(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return self.from_driver(value)


class Sealed(TypeDecorator[bytes]):
    """Bytes that Vault.seal(table, row id, column, text) wrote. `limani keys rotate` finds them by type."""

    impl = LargeBinary
    cache_ok = True


def among(column: Column[Any], *words: str) -> ColumnElement[bool]:
    """Whether a state column has one of these words, written out in the statement: a database uses a partial
    index only where it can see, without any parameter, that its condition holds. (SQLite sees that for an OR,
    not for an IN.)"""
    return or_(*(column == literal_column(f"'{word}'") for word in words))


metadata = MetaData()


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)


citizens = Table(
    "citizens",
    metadata,
    _id(),
    Column("created_at", UtcTime, nullable=False),
    Column("language", String(8), nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    _id(),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False, index=True),
    Column("channel", String(16), nullable=False),
    Column("address_index", LargeBinary(16), nullable=False),
    Column("address", Sealed, nullable=False),
    Column("name", Sealed),
    Column("state", String(16), nullable=False),  # open, blocked
    Column("blocked_at", UtcTime),
    Column("last_in_at", UtcTime),
    UniqueConstraint("channel", "address_index", name="one_address"),
)

inbox = Table(
    "inbox",
    metadata,
    _id(),
    Column("channel", String(16), nullable=False),
    Column("provider_key", String(200), nullable=False),
    Column("citizen_id", ForeignKey("citizens.id")),
    Column("kind", String(24), nullable=False),
    Column("body", Sealed, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_owner", String(40)),
    Column("lease_until", UtcTime),
    Column("done_at", UtcTime),
    Column("why", String(200)),
    UniqueConstraint("channel", "provider_key", name="one_stimulus"),
)
_PENDING = among(inbox.c.state, "new", "taken")
Index("inbox_waiting", inbox.c.id, sqlite_where=_PENDING, postgresql_where=_PENDING)
Index("inbox_behind", inbox.c.citizen_id, inbox.c.id, sqlite_where=_PENDING, postgresql_where=_PENDING)
_STRANGE = among(inbox.c.state, "quarantined")
Index("inbox_strange", inbox.c.id, sqlite_where=_STRANGE, postgresql_where=_STRANGE)
Index("inbox_citizen", inbox.c.citizen_id, inbox.c.id)

sessions = Table(
    "sessions",
    metadata,
    Column("citizen_id", ForeignKey("citizens.id"), primary_key=True, autoincrement=False),
    Column("state", Sealed, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False),
    Column("address_id", ForeignKey("addresses.id"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("lane", Integer, nullable=False),  # 0 red and human, 1 ordinary, 2 broadcast
    Column("key", String(80), nullable=False),
    Column("body", Sealed, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("doubts", Integer, nullable=False, default=0),  # how often its outcome was unknown
    Column("lease_owner", String(40)),
    Column("lease_until", UtcTime),
    Column("provider_id", String(80)),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("seen_at", UtcTime),
    Column("why", String(200)),
    Column("ticket_id", ForeignKey("tickets.id")),
)
_UNSAID = among(outbox.c.state, "due", "sending", "unknown")
Index(
    "outbox_waiting",
    *(outbox.c.channel, outbox.c.lane, outbox.c.id),
    sqlite_where=_UNSAID,
    postgresql_where=_UNSAID,
)
Index("outbox_behind", outbox.c.address_id, outbox.c.id, sqlite_where=_UNSAID, postgresql_where=_UNSAID)
Index("outbox_citizen", outbox.c.citizen_id, outbox.c.id)
Index("outbox_provider", outbox.c.channel, outbox.c.provider_id)

waits = Table(
    "waits",
    metadata,
    Column("citizen_id", ForeignKey("citizens.id"), primary_key=True, autoincrement=False),
    Column("token", String(120), nullable=False),
    Column("due_at", UtcTime, nullable=False, index=True),
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    Column("ref", String(16), nullable=False, unique=True),
    Column("citizen_id", ForeignKey("citizens.id"), nullable=False, index=True),
    Column("topic", String(32), nullable=False),
    Column("risk", String(8), nullable=False),
    Column("risk_kind", String(16)),
    Column("status", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("district", String(60)),
    Column("assigned_to", String(40)),
    Column("wants_human", Boolean, nullable=False, default=False),
    Column("answers", Sealed, nullable=False),
    Column("opened_at", UtcTime, nullable=False, index=True),
    Column("first_human_word_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("outcome", String(40)),
    Column("reviewed_at", UtcTime),
    Column("reviewed_by", String(40)),
)
Index("tickets_open", tickets.c.status, tickets.c.risk)
Index("tickets_closed", tickets.c.closed_at)
Index("tickets_topic", tickets.c.topic, tickets.c.opened_at)

entries = Table(
    "entries",
    metadata,
    _id(),
    Column("ticket_id", ForeignKey("tickets.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Sealed, nullable=False),
)
Index("entries_ticket", entries.c.ticket_id, entries.c.id)

pages = Table(
    "pages",
    metadata,
    _id(),
    Column("ticket_id", ForeignKey("tickets.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("policy", JSON),  # None until it starts, then frozen: an edit changes no running page
    Column("round", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),
    Column("due_at", UtcTime, nullable=False),  # the next instant at which something may have to happen
    Column("needed_at", UtcTime, nullable=False),
    Column("acknowledged_by", String(40)),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_via", String(16)),
    Column("contact_due_at", UtcTime),
    Column("contacted_at", UtcTime),
    Column("exhausted_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("passed_over", JSON, nullable=False, default=list),  # roster keys that lost it to the second clock
)
Index("pages_work", pages.c.state, pages.c.due_at)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    Column("page_id", ForeignKey("pages.id"), nullable=False, index=True),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("person", String(40), nullable=False),
    Column("means", String(16), nullable=False),  # voice, sms, link, console
    Column("state", String(16), nullable=False),
    Column("keys", String(8), nullable=False, default=""),  # first and second key of a call
    Column("tries", Integer, nullable=False, default=0),
    Column("provider_id", String(80)),
    Column("provider_seq", Integer, nullable=False, default=-1),
    Column("at", UtcTime, nullable=False),
    Column("due_at", UtcTime),  # when to look at it again: send, repeat, poll, hang up
    Column("lease_owner", String(40)),
    Column("lease_until", UtcTime),
    Column("answered_at", UtcTime),  # somebody, or a machine, picked the call up
    Column("ended_at", UtcTime),
    Column("why", String(200)),
)
Index("attempts_work", attempts.c.state, attempts.c.due_at)
Index("attempts_provider", attempts.c.provider_id)

people = Table(
    "people",
    metadata,
    Column("name", String(40), primary_key=True),  # the roster key
    Column("role", String(16), nullable=False),  # responder, supervisor
    Column("password", String(200), nullable=False),  # argon2id
    Column("language", String(8), nullable=False, default="el"),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
    Column("failures", Integer, nullable=False, default=0),
)

logins = Table(
    "logins",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person", ForeignKey("people.name"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(60), primary_key=True),  # small named values: Telegram's next offset, weather mode
    Column("value", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
)
