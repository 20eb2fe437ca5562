"""A database that counts how long its work takes, around the one that does it."""

from __future__ import annotations

from store.clock import monotonic
from store.database import Database, StoreUnavailable, T, Work
from store.figures import Figures


class MeasuredDatabase:
    """A database whose work is timed, from the asking to the answer."""

    def __init__(self, db: Database, figures: Figures) -> None:
        self._db, self._figures = db, figures
        self.close = db.close

    async def write(self, work: Work[T]) -> T:
        """See store.database.Database."""
        begun = monotonic()
        try:
            return await self._db.write(work)
        except StoreUnavailable:
            self._figures.count("store_unavailable", "write")
            raise
        finally:
            self._figures.span(monotonic() - begun, "store_seconds", "write")

    async def read(self, work: Work[T]) -> T:
        """See store.database.Database."""
        begun = monotonic()
        try:
            return await self._db.read(work)
        except StoreUnavailable:
            self._figures.count("store_unavailable", "read")
            raise
        finally:
            self._figures.span(monotonic() - begun, "store_seconds", "read")
