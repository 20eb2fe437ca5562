"""Viber's callback signature: hex of HMAC-SHA256 over the raw body, keyed with the bot's token."""

from __future__ import annotations

import hashlib
import hmac


def signature(token: str, body: bytes) -> str:
    """The value of X-Viber-Content-Signature."""
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
