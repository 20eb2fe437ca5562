"""Slows down whoever guesses passwords, and never the person on call.

Failures are counted per account and place; a browser that has signed in before carries a signed mark and
is a place of its own, so that no stranger's failures stand between a responder and the console.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from store.vault import Vault

FREE = 5  # failures that cost nothing: everybody mistypes
LONGEST = timedelta(minutes=5)
_REMEMBER = timedelta(minutes=30)
_MOST_PLACES = 10_000
_PURPOSE = "console device"


class Throttle:
    """Counts in memory: a restart forgives, which is the right side to err on here."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._failures: dict[tuple[str, str], tuple[int, datetime]] = {}

    def mark(self, person: str) -> str:
        """What a browser carries after it signed somebody in."""
        return f"{person}.{self._vault.sign(_PURPOSE, person)}"

    def place(self, person: str, remote: str, mark: str) -> tuple[str, str]:
        """Under which key an attempt is counted."""
        name, _, signature = mark.rpartition(".")
        known = name == person and self._vault.verify(_PURPOSE, name, signature)
        return (person[:40], "known device" if known else remote)

    def wait(self, place: tuple[str, str], now: datetime) -> timedelta:
        """How long this place has to wait before it may try again."""
        count, last = self._failures.get(place, (0, now))
        if count < FREE or now - last > _REMEMBER:
            return timedelta()
        pause = min(timedelta(seconds=2 ** (count - FREE + 1)), LONGEST)
        return max(last + pause - now, timedelta())

    def failed(self, place: tuple[str, str], now: datetime) -> None:
        """Counts a wrong password."""
        if len(self._failures) >= _MOST_PLACES:
            kept = {key: seen for key, seen in self._failures.items() if now - seen[1] < _REMEMBER}
            self._failures = kept if len(kept) < _MOST_PLACES else {}
        count, last = self._failures.get(place, (0, now))
        self._failures[place] = (count + 1 if now - last <= _REMEMBER else 1, now)

    def passed(self, place: tuple[str, str]) -> None:
        """A right password clears the place."""
        self._failures.pop(place, None)
