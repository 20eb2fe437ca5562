"""What stands between a foreign page and a citizen's chat: origin, media type, size, headers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

MOST_TEXT = 100_000  # bytes of a citizen's text in UTF-8
_MOST_BODY = 8 * MOST_TEXT  # JSON may write one letter as twelve characters


class Refused(Exception):
    """A request that is not taken: HTTP status, and the key of a sentence in `words`."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


def check_origin(request: web.Request, public_url: str) -> None:
    """Raises Refused for a request that a page of another origin has sent. A request without any mark
    of a browser is no page's doing, and no cookie comes with it by itself."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused(403, "foreign")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in (urlsplit(public_url).netloc, request.host):
        raise Refused(403, "foreign")


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused; a plain form cannot be posted from elsewhere."""
    if request.content_type != "application/json":
        raise Refused(415, "not_understood")
    body = b""
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > _MOST_BODY:
            raise Refused(413, "too_long")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "not_understood") from None
    if not isinstance(data, dict):
        raise Refused(400, "not_understood")
    return data


def page_headers(frame_ancestors: Iterable[str], secure: bool) -> dict[str, str]:
    """Headers of an HTML page: everything from our own origin, framed only where the profile allows."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {' '.join(frame_ancestors)}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
