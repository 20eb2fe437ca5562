"""What waits is found without a look at what is over: partial indexes.

Programs of 0001 run on it: an index that is gone costs them speed at most, and PostgreSQL gives them the new
ones, because it plans with the values at hand. (A SQLite file has one program at a time.)

A partial index is only used for a query that implies its condition. SQLite proves that for OR and literals,
and not for IN, nor for values bound later: so conditions here and in the queries are written alike.
"""

from __future__ import annotations

from alembic import op

from store.online import LiveIndex

revision = "0002"
down_revision = "0001"
RUNS_WITH = "0001"

_INBOX = "state = 'new' OR state = 'taken'"
_OUTBOX = "state = 'due' OR state = 'sending' OR state = 'unknown'"
INDEXES = (
    LiveIndex("inbox_waiting", "inbox", ("id",), _INBOX),
    LiveIndex("inbox_behind", "inbox", ("citizen_id", "id"), _INBOX),
    LiveIndex("inbox_strange", "inbox", ("id",), "state = 'quarantined'"),
    LiveIndex("outbox_waiting", "outbox", ("channel", "lane", "id"), _OUTBOX),
    LiveIndex("tickets_closed", "tickets", ("closed_at",)),
    LiveIndex("tickets_topic", "tickets", ("topic", "opened_at")),
    LiveIndex("outbox_behind", "outbox", ("address_id", "id"), _OUTBOX),
)


def upgrade() -> None:
    for index in INDEXES:
        index.make()
    for old, table in (("inbox_work", "inbox"), ("outbox_work", "outbox")):
        op.drop_index(old, table_name=table, if_exists=True)
