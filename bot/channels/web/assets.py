"""Serves a folder of static files from memory: stylesheet, script, font, icons.

An address with the file's own hash (`url`) may be kept for a year; the bare one is asked about again.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_TYPES = {".woff2": "font/woff2", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, media type and the first 16 hex digits of its SHA-256."""

    body: bytes
    media_type: str
    mark: str


class Assets:
    """The files of `folder` under `prefix`, for example /static/. Read once, at construction."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.prefix = prefix
        self._files = {str(path.relative_to(folder)): _read(path) for path in sorted(folder.rglob("*.*"))}

    def url(self, name: str) -> str:
        """The address of a file with its mark: a changed file has another address. KeyError if absent."""
        return f"{self.prefix}{name}?v={self._files[name].mark}"

    def routes(self) -> list[web.RouteDef]:
        """GET and HEAD of everything under the prefix."""
        return [web.get(self.prefix + "{name:.+}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        asset = self._files.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {
            "ETag": f'"{asset.mark}"',
            "Cache-Control": _keeping(request, asset),
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if asset.mark in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.media_type, headers=headers)


def _keeping(request: web.Request, asset: Asset) -> str:
    if request.query.get("v") == asset.mark:
        return _FOR_A_YEAR
    return _FOR_A_DAY if asset.media_type == "font/woff2" else _ASK_AGAIN


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(body, media_type, hashlib.sha256(body).hexdigest()[:16])


STATIC = Path(__file__).parent / "static"


def design_base() -> Assets:
    """The stylesheet, font and icons that every face shares, at /static/."""
    return Assets(STATIC, "/static/")
