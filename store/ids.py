"""The one source of ids, references and tokens.

Ids are 63-bit integers that grow with time (milliseconds, then a counter that starts at a random
place), so rows sort by arrival and two processes hardly ever meet; if they do, the primary key says so.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from random import Random

from store.chance import Unguessable, unguessable
from store.clock import Clock, to_micros

# Letters and digits that nobody mixes up on a bad line, in Greek or in English: no 0 O 1 I L 2 Z 5 S 8 B.
REF_ALPHABET = "3479ACDEFGHKMNPRTUXY"
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_COUNTER_BITS = 22


class Ids:
    """Gives ids. `chance` is replaced by a seeded Random in tests; tokens then are not secret."""

    def __init__(self, clock: Clock, chance: Random | None = None) -> None:
        self._clock = clock
        self._chance = chance or Unguessable()
        self._seeded = chance is not None
        self._last = 0

    def new(self) -> int:
        """A fresh row id, greater than every id given before by this process."""
        milliseconds = to_micros(self._clock.now()) // 1000
        if milliseconds << _COUNTER_BITS <= self._last:  # the same millisecond, or a clock set back
            self._last += 1
            return self._last
        self._last = (milliseconds << _COUNTER_BITS) | self._chance.getrandbits(_COUNTER_BITS - 2)
        return self._last

    def after(self, newest: int) -> None:
        """Gives no id below `newest` any more: the clock may have been set back while we were away."""
        self._last = max(self._last, newest)

    def leap(self) -> None:
        """Leaves out some ids: another process has drawn the same ones as we."""
        self._last += 1 + self._chance.getrandbits(_COUNTER_BITS - 2)

    def ref(self, prefix: str, letters: int = 4) -> str:
        """A short speakable ticket reference such as HRK-7F3K. Not unique by itself: the table is."""
        if self._seeded:
            return f"{prefix}-" + "".join(self._chance.choice(REF_ALPHABET) for _ in range(letters))
        fair = 256 - 256 % len(REF_ALPHABET)  # bytes from here on would favour the first letters
        drawn = [byte for byte in unguessable(4 * letters) if byte < fair]
        while len(drawn) < letters:
            drawn += [byte for byte in unguessable(letters) if byte < fair]
        return f"{prefix}-" + "".join(REF_ALPHABET[byte % len(REF_ALPHABET)] for byte in drawn[:letters])

    def token(self, size: int = 24) -> str:
        """An unguessable url-safe token of `size` random bytes."""
        if self._seeded:
            return self._chance.randbytes(size).hex()
        return secrets.token_urlsafe(size)

    def choice(self, options: str) -> str:
        """One character of `options`, for example the key of a call."""
        return self._chance.choice(options)


def first_id(moment: datetime) -> int:
    """No row that was made at `moment` or later has an id below this."""
    return (to_micros(moment) // 1000) << _COUNTER_BITS


def to_base32(number: int) -> str:
    """A row id as short text for button payloads."""
    text = ""
    while number:
        number, digit = divmod(number, 32)
        text = _ID_ALPHABET[digit] + text
    return text or "0"


def from_base32(text: str) -> int | None:
    """The row id, or None for anything that `to_base32` did not write."""
    if not text or len(text) > 13:
        return None
    number = 0
    for character in text:
        digit = _ID_ALPHABET.find(character)
        if digit < 0:
            return None
        number = number * 32 + digit
    return number if number < 2**63 else None  # 13 characters hold more than a database's integer
