"""What a command needs of the product when no server has to run: settings, database, record.

Reads work beside a running server; writes go through the same functions as the console's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from config.profile import Profile, ProfileError
from config.settings import Settings, SettingsError, load_settings
from limani.commands.told import Told
from limani.parts import Parts, make_parts
from store.database import StoreUnavailable
from store.vault import SealBroken

T = TypeVar("T")


def given_settings() -> Settings:
    """The settings, or one sentence for each that is wrong."""
    try:
        return load_settings()
    except SettingsError as error:
        raise Told(str(error)) from None


def given_profile(settings: Settings) -> Profile:
    """The municipality's profile, or what is wrong with it."""
    try:
        return Profile.load(settings.profile)
    except ProfileError as error:
        raise Told(str(error)) from None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """The shared parts on an open database."""
    try:
        parts = await make_parts(settings)
    except (StoreUnavailable, ValueError) as error:
        raise Told(str(error)) from None
    try:
        yield parts
    finally:
        await parts.db.close()


def run(work: Callable[[Parts], Awaitable[T]]) -> T:
    """Runs `work` on the parts and returns its value. A store that goes away, or that other keys have
    sealed, is told in one sentence too."""

    async def main() -> T:
        async with opened(given_settings()) as parts:
            return await work(parts)

    try:
        return asyncio.run(main())
    except StoreUnavailable as error:
        raise Told(str(error)) from None
    except SealBroken:
        raise Told("LIMANI_SECRET_KEYS does not open this database: it was sealed with another key") from None
