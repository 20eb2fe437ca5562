"""Slows down the place that guesses passwords, and never the person on call.

A place is an address; a browser that has signed somebody in before carries a signed mark and is a place of
its own, so that no stranger's guesses, and no shared proxy, stand between a responder and the console. No
account is ever closed by failures, and the longest pause is short.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from store.vault import Vault

FREE = 5  # failures that cost nothing: everybody mistypes
LONGEST = timedelta(seconds=20)
_REMEMBER = timedelta(minutes=30)
_MOST_PLACES = 10_000
_PURPOSE = "console device"


class Throttle:
    """Counts in memory: a restart forgives, which is the right side to err on here."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._failures: dict[str, tuple[int, datetime]] = {}

    def mark(self, person: str) -> str:
        """What a browser carries after it signed somebody in."""
        return f"{person}.{self._vault.sign(_PURPOSE, person)}"

    def place(self, person: str, remote: str, mark: str) -> str:
        """The place of an attempt. A mark counts for its own person alone."""
        name, _, signature = mark.rpartition(".")
        known = name == person and self._vault.verify(_PURPOSE, name, signature)
        return f"device:{person}" if known else f"remote:{remote}"

    def wait(self, place: str, now: datetime) -> timedelta:
        """How long this place has to wait before it may try again."""
        count, last = self._failures.get(place, (0, now))
        if count < FREE or now - last > _REMEMBER:
            return timedelta()
        pause = min(timedelta(seconds=2 ** min(count - FREE + 1, 10)), LONGEST)
        return max(last + pause - now, timedelta())

    def trying(self, place: str, now: datetime) -> None:
        """Counts an attempt as failed before its password is checked: many at once gain nothing."""
        if len(self._failures) >= _MOST_PLACES:
            kept = {key: seen for key, seen in self._failures.items() if now - seen[1] < _REMEMBER}
            self._failures = kept if len(kept) < _MOST_PLACES else {}
        count, last = self._failures.get(place, (0, now))
        self._failures[place] = (count + 1 if now - last <= _REMEMBER else 1, now)

    def passed(self, place: str) -> None:
        """A right password clears the place."""
        self._failures.pop(place, None)
