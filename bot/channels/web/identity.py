"""Who sits at the browser: a random 256-bit token in a cookie that no script can read.

The token is the channel's address of the citizen. It says nothing about a person; losing it ends the chat.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from aiohttp import web

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_HALF_A_YEAR = 180 * 24 * 3600


class Identity:
    """Reads and writes the cookie. `secure` = the public address is https."""

    def __init__(self, secure: bool) -> None:
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self._own = f"{prefix}limani_chat"
        self._embedded = f"{prefix}limani_embedded"  # a page of another site gets a chat of its own

    def of(self, request: web.Request) -> str | None:
        """The citizen's token, None for somebody new (or a cookie that we did not write)."""
        for name in (self._own, self._embedded):
            token = request.cookies.get(name, "")
            if _TOKEN.fullmatch(token):
                return token
        return None

    def give(self, request: web.Request, response: web.Response) -> str:
        """Sets a fresh token on the response and returns it."""
        token = secrets.token_urlsafe(32)
        embedded = self._secure and _is_embedded(request)
        name, site = (self._embedded, "None; Partitioned") if embedded else (self._own, "Lax")
        cookie = f"{name}={token}; Max-Age={_HALF_A_YEAR}; Path=/; HttpOnly; SameSite={site}"
        # Written by hand: http.cookies learns the word Partitioned only in a later Python.
        response.headers.add("Set-Cookie", cookie + "; Secure" if self._secure else cookie)
        return token

    def forget(self, response: web.Response) -> None:
        """Takes the token back from the browser."""
        for name in (self._own, self._embedded):
            response.del_cookie(name, path="/", secure=self._secure, httponly=True)


def mark_of(token: str) -> str:
    """A short name of a token for keys and topics; the token cannot be had back from it."""
    return hashlib.sha256(token.encode()).hexdigest()[:24]


def _is_embedded(request: web.Request) -> bool:
    headers = request.headers
    return headers.get("Sec-Fetch-Dest") == "iframe" and headers.get("Sec-Fetch-Site") == "cross-site"
