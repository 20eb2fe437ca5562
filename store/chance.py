"""Unguessable bytes, asked of the machine a page at a time: one call to it costs more than a whole seal."""

from __future__ import annotations

import os
from random import Random
from threading import Lock
from typing import Any

_PAGE = 8192


class _Pool:
    """Bytes that nobody has been given yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._page = b""
        self._used = 0

    def take(self, size: int) -> bytes:
        """`size` fresh bytes; no byte is given twice."""
        with self._lock:
            if self._used + size > len(self._page):
                self._page, self._used = os.urandom(max(size, _PAGE)), 0
            start, self._used = self._used, self._used + size
            return self._page[start : self._used]

    def forget(self) -> None:
        """A forked child must not be given what its parent is given."""
        self.__init__()  # type: ignore[misc]


_POOL = _Pool()
os.register_at_fork(after_in_child=_POOL.forget)
unguessable = _POOL.take


class Unguessable(Random):
    """`random.SystemRandom` on the same bytes."""

    def random(self) -> float:
        return (int.from_bytes(unguessable(7)) >> 3) * 2**-53

    def getrandbits(self, k: int, /) -> int:
        size = (k + 7) // 8
        return int.from_bytes(unguessable(size)) >> (size * 8 - k)

    def seed(self, *_: Any, **__: Any) -> None:
        """There is nothing to seed."""
