"""What lies beyond the process: the database and its clock, and the providers' addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import Connection, func, select, text

from config.settings import Settings
from limani.checkup.finding import Finding, error, ok, warning
from store.clock import EPOCH, rfc3339
from store.database import StoreUnavailable
from store.migrate import HEAD, current
from store.peek import peek
from store.schema import entries, inbox, people, tickets
from store.vault import SealBroken, Vault

REACH_SECONDS = 3.0
MOST_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Seen:
    revision: str | None
    server_now: datetime | None  # None where the database has no clock of its own
    newest: datetime | None
    opens: bool
    accounts: int


async def look_at_database(settings: Settings, now: datetime) -> list[Finding]:
    """Reachable, of this release's schema, sealed with our keys, and of one time with us."""
    try:
        seen = await peek(settings.database_url, lambda tx: _look(tx, settings))
    except StoreUnavailable as away:
        return [error("database", str(away), "see that it runs, and that LIMANI_DATABASE_URL names it")]
    if seen is None:
        mend = "nothing to do: `limani serve` or `limani migrate` makes it"
        return [warning("database", "the SQLite file is not there yet", mend)]
    if seen.revision is None:
        return [warning("database", "it is empty", "`limani serve` or `limani migrate` makes the tables")]
    if seen.revision > HEAD:
        mend = "install the release that made it, or a newer one"
        return [error("database", f"its schema {seen.revision} is newer than this release's {HEAD}", mend)]
    if seen.revision != HEAD:
        says = f"its schema {seen.revision} is older than {HEAD}"
        return [warning("database", says, "run `limani migrate`, or start `limani serve`")]
    return [ok("database", f"answers, schema {HEAD}"), _seal(seen), _clock(seen, now), _accounts(seen)]


def _look(tx: Connection, settings: Settings) -> _Seen:
    revision = current(tx)
    server_now = None
    if tx.dialect.name == "postgresql":
        epoch = tx.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        server_now = EPOCH + timedelta(seconds=float(epoch))
    if revision != HEAD:
        return _Seen(revision, server_now, None, True, 0)
    heard = tx.execute(select(func.max(inbox.c.received_at))).scalar()
    opened = tx.execute(select(func.max(tickets.c.opened_at))).scalar()
    newest = max((at for at in (heard, opened) if at is not None), default=None)
    active = select(func.count()).select_from(people).where(people.c.disabled_at.is_(None))
    return _Seen(revision, server_now, newest, _opens(tx, settings), tx.execute(active).scalar_one())


def _opens(tx: Connection, settings: Settings) -> bool:
    """Whether our keys open the oldest and the newest value: a lost key is seen before it is needed."""
    vault = Vault(settings.secret_keys) if settings.secret_keys else None
    for order in (entries.c.id, entries.c.id.desc()):
        row = tx.execute(select(entries.c.id, entries.c.text).order_by(order).limit(1)).first()
        if vault is None or row is None:
            return True
        try:
            vault.open("entries", row.id, "text", row.text)
        except SealBroken:
            return False
    return True


def _seal(seen: _Seen) -> Finding:
    if seen.opens:
        return ok("seal", "the keys open what the database holds")
    mend = "put the key that sealed it behind the others in LIMANI_SECRET_KEYS, then `limani keys rotate`"
    return error("seal", "the keys do not open what the database holds", mend)


def _clock(seen: _Seen, now: datetime) -> Finding:
    mend = "let both machines keep time by NTP"
    if seen.server_now is not None and abs(seen.server_now - now) > MOST_SKEW:
        skew = abs(seen.server_now - now).total_seconds()
        return error("clock", f"this machine and the database differ by {skew:.0f} s", mend)
    if seen.newest is not None and seen.newest > now + MOST_SKEW:
        says = f"the newest record is of {rfc3339(seen.newest)}, which is still to come"
        return error("clock", says, "this machine's clock is behind: let it keep time by NTP")
    return ok("clock", rfc3339(now) or "")


def _accounts(seen: _Seen) -> Finding:
    if seen.accounts:
        return ok("accounts", f"{seen.accounts} people can sign in")
    return warning(
        "accounts", "nobody can sign in to the console", "`limani people add NAME --role supervisor`"
    )


async def look_at_providers(settings: Settings) -> list[Finding]:
    """Whether the addresses of what is configured answer at all; any answer will do."""
    timeout = aiohttp.ClientTimeout(total=REACH_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        reached = [_reach(session, name, url) for name, url in _addresses(settings).items()]
        found = list(await asyncio.gather(*reached))
    if settings.redis_url:
        found.append(await _reach_redis(settings.redis_url))
    return found


def _addresses(settings: Settings) -> Mapping[str, str]:
    wanted = {
        "telegram": settings.telegram_api_url if settings.telegram_token else None,
        "viber": settings.viber_api_url if settings.viber_token else None,
        "twilio": settings.twilio_api_url if settings.twilio_account_sid else None,
        "rasa": settings.rasa_url,
    }
    return {name: url for name, url in wanted.items() if url}


async def _reach(session: aiohttp.ClientSession, name: str, url: str) -> Finding:
    host = urlsplit(url).hostname or "?"
    try:
        async with session.get(url, allow_redirects=False):
            return ok(name, f"{host} answers")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failure:
        setting = "LIMANI_RASA_URL" if name == "rasa" else f"LIMANI_{name.upper()}_API_URL"
        mend = f"let this machine reach {host}, or mend {setting}"
        return error(name, f"{host} does not answer ({type(failure).__name__})", mend)


async def _reach_redis(url: str) -> Finding:
    from redis.asyncio import Redis

    try:
        async with Redis.from_url(
            url, socket_connect_timeout=REACH_SECONDS, socket_timeout=REACH_SECONDS
        ) as client:
            await client.ping()
    except Exception as failure:  # whatever it is, Limani only gets slower by it
        mend = "start Redis, or take LIMANI_REDIS_URL away; without it everything is a second slower"
        return warning("redis", f"it does not answer ({type(failure).__name__})", mend)
    return ok("redis", "answers")
