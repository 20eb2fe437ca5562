"""One incoming request in one form, however the client wrote it: form, multipart, JSON or query.

Providers' own SDKs differ here: python-telegram-bot sends forms, viberbot JSON, twilio forms with repeats.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Upload:
    """A file that came with a multipart body."""

    name: str
    content_type: str
    data: bytes

    def __str__(self) -> str:
        return f"<file {self.name}, {len(self.data)} bytes>"


@dataclass(slots=True)
class Asked:
    """A request; `afterwards` is run once the answer has left. `broken` means unreadable JSON."""

    method: str
    path: str
    params: dict[str, Any]
    query: dict[str, str]
    headers: dict[str, str]
    size: int
    broken: bool = False
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def text(self, name: str) -> str:
        """A parameter as text; the last one if it was repeated, empty if absent."""
        value = self.params.get(name, "")
        return str(value[-1] if isinstance(value, list) and value else value)


async def read(request: web.Request) -> Asked:
    """Take a request apart; a body that cannot be read makes `broken`, never an exception."""
    asked = Asked(
        method=request.method,
        path=request.path,
        params={},
        query=dict(request.query),
        headers=dict(request.headers),
        size=request.content_length or 0,
    )
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        await _read_form(request, asked)
    else:
        await _read_json(request, asked)
    asked.params = {**asked.query, **asked.params}
    return asked


async def _read_form(request: web.Request, asked: Asked) -> None:
    try:
        form = await request.post()
    except ValueError:
        asked.broken = True
        return
    for name in dict.fromkeys(form):
        values = [_plain(value) for value in form.getall(name)]
        asked.params[name] = values if len(values) > 1 else values[0]


async def _read_json(request: web.Request, asked: Asked) -> None:
    body = await request.read()
    asked.size = len(body)
    if not body:
        return
    try:
        parsed = json.loads(body)
    except ValueError:
        asked.broken = True
        return
    asked.params = parsed if isinstance(parsed, dict) else {}
    asked.broken = not isinstance(parsed, dict)


def _plain(value: Any) -> Any:
    if isinstance(value, web.FileField):
        return Upload(value.filename, value.content_type, value.file.read())
    return value
