"""One-tap links: /a/TOKEN names one attempt, and so one person and one page; signed, and good for hours.

The token holds a row id and a time, nothing about people.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from store.clock import from_micros, to_micros
from store.ids import from_base32, to_base32
from store.vault import Vault

LASTS = timedelta(hours=12)
_PURPOSE = "page link"
_MINUTE = 60_000_000
_BITS = 22  # the lower bits of a row id are a counter; the upper ones milliseconds since 1970


class Links:
    """Makes and reads one-tap links."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._base = public_url.rstrip("/")

    def url(self, attempt: int) -> str:
        """The link of an attempt."""
        return f"{self._base}/a/{self.token(attempt)}"

    def token(self, attempt: int) -> str:
        """The signed name of an attempt; it lasts from the attempt's own beginning."""
        born = (attempt >> _BITS) * 1000
        ends = (born + to_micros(from_micros(0) + LASTS)) // _MINUTE
        body = f"{to_base32(attempt)}.{to_base32(ends)}"
        return f"{body}.{self._vault.sign(_PURPOSE, body)}"

    def read(self, token: str, now: datetime) -> int | None:
        """The attempt of a token; None for one that is broken, foreign or expired."""
        body, _, signature = token.rpartition(".")
        first, _, last = body.partition(".")
        attempt, ends = from_base32(first), from_base32(last)
        if attempt is None or ends is None or not self._vault.verify(_PURPOSE, body, signature):
            return None
        return attempt if now < from_micros(ends * _MINUTE) else None
