"""Brings a database to the newest schema, or says that it already is there.

Alembic does the work; it is imported only when there is work, because a start has to be quick.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0001"  # a test holds it against the newest file of the folder
_LOCK = 0x6C696D616E69  # "limani": two processes that start together migrate one after the other


def current(connection: Connection) -> str | None:
    """The revision that the database has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: Connection) -> None:
    """Runs the missing migrations in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if current(connection) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrate_sqlite(engine: Engine) -> None:
    """The same for a SQLite file; BEGIN IMMEDIATE makes a second process wait."""
    with engine.connect() as connection:
        up_to_date = current(connection) == HEAD
    if not up_to_date:
        with engine.begin() as connection:
            migrate(connection)
