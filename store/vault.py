"""Seals what a citizen says, signs what we hand out, and indexes what must be found without being read.

AES-256-GCM with the key's id in front, bound to table, row and column: a sealed value that is copied to
another row does not open. Keys come newest first; old ones still open, new ones seal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from store.chance import unguessable

_VERSION = b"\x01"
_HEAD = 1 + 4 + 12


class SealBroken(Exception):
    """A sealed value does not open: wrong row, changed bytes, or a key that is no longer configured."""


class _Key:
    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("a secret key has 32 bytes")
        self.id = hashlib.sha256(b"limani key id" + secret).digest()[:4]
        self.cipher = AESGCM(_derive(secret, b"seal"))
        self.sign = _derive(secret, b"sign")
        self.index = _derive(secret, b"index")


class Vault:
    """Holds the keys of a process. `keys` are url-safe base64 of 32 bytes, newest first."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = [_Key(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))) for key in keys]
        if not self._keys:
            raise ValueError("the vault needs at least one key")
        self._by_id = {key.id: key for key in self._keys}

    def seal(self, table: str, row: int, column: str, text: str) -> bytes:
        """The sealed form of `text`, bound to its place."""
        nonce = unguessable(12)
        key = self._keys[0]
        sealed = key.cipher.encrypt(nonce, text.encode(), _place(table, row, column))
        return _VERSION + key.id + nonce + sealed

    def open(self, table: str, row: int, column: str, sealed: bytes) -> str:
        """The text again. Raises SealBroken."""
        key = self._by_id.get(sealed[1:5])
        if key is None or sealed[:1] != _VERSION:
            raise SealBroken("no key of this process opens it")
        try:
            plain = key.cipher.decrypt(sealed[5:_HEAD], sealed[_HEAD:], _place(table, row, column))
        except InvalidTag as error:
            raise SealBroken("changed, or moved from another row") from error
        return plain.decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it."""
        return sealed[1:5] == self._keys[0].id

    def indexes(self, scope: str, value: str) -> list[bytes]:
        """Blind indexes of a value, newest key first: write the first, look for any."""
        message = f"{scope}:{value}".encode()
        return [hmac.digest(key.index, message, "sha256")[:16] for key in self._keys]

    def sign(self, purpose: str, message: str) -> str:
        """A short url-safe signature by the newest key."""
        return _signature(self._keys[0], purpose, message)

    def verify(self, purpose: str, message: str, signature: str) -> bool:
        """Whether any configured key signed it; in constant time per key."""
        given = signature.encode("utf-8", "surrogatepass")
        good = [hmac.compare_digest(_signature(key, purpose, message).encode(), given) for key in self._keys]
        return any(good)


def new_key() -> str:
    """A fresh secret key in the form of LIMANI_SECRET_KEYS."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"limani " + purpose).derive(secret)


def _place(table: str, row: int, column: str) -> bytes:
    return f"{table}:{row}:{column}".encode()


def _signature(key: _Key, purpose: str, message: str) -> str:
    digest = hmac.digest(key.sign, f"{purpose}:{message}".encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
