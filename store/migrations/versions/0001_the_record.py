"""The record: citizens, inbox, sessions, outbox, waits, tickets, entries, pages, attempts, people."""

from __future__ import annotations

from alembic import op

from store.schema import metadata

revision = "0001"
down_revision = None

# An entry, once written, stays what it was. Its text may be sealed again by a newer key.
_SQLITE_GUARD = """
CREATE TRIGGER entries_append_only BEFORE UPDATE OF ticket_id, at, "by", kind ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END
"""
_POSTGRES_GUARD = (
    """
CREATE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'entries are append-only'; END $$
""",
    """
CREATE TRIGGER entries_append_only BEFORE UPDATE OF ticket_id, at, "by", kind ON entries
FOR EACH ROW EXECUTE FUNCTION entries_append_only()
""",
)


def upgrade() -> None:
    connection = op.get_bind()
    metadata.create_all(connection)
    guards = _POSTGRES_GUARD if connection.dialect.name == "postgresql" else (_SQLITE_GUARD,)
    for guard in guards:
        op.execute(guard)
