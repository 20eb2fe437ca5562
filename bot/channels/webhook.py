"""What the provider webhooks share: a bounded raw body, 200 once kept, 403 and 503 without a word."""

from __future__ import annotations

from collections import Counter
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

from bot.incoming import Arrival
from store.database import StoreUnavailable

MOST_BYTES = 2**20


class Door(Protocol):
    """Where arrivals are kept (bot.door)."""

    async def accept(self, arrival: Arrival) -> bool: ...


class Refusals:
    """How many requests with a wrong signature each channel has turned away: their only trace."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def refuse(self, channel: str) -> web.Response:
        """403 with an empty body."""
        self.counts[channel] += 1
        return web.Response(status=403)


async def read_body(request: web.Request, most: int = MOST_BYTES) -> tuple[bytes, bool]:
    """The raw body up to `most` bytes, and whether that is all of it.

    The rest is read and dropped: a sender who is cut off would never hear our answer, and send it again."""
    length = request.content_length
    if length is not None and length <= min(most, request.client_max_size):
        return await request.read(), True
    body, whole = bytearray(), True
    async for piece in request.content.iter_any():
        room = most - len(body)
        body += piece[:room]
        whole = whole and len(piece) <= room
    return bytes(body), whole


async def read_form(request: web.Request) -> MultiDict[str] | None:
    """The fields of a form, repeated ones too; None when it is too large or no form at all."""
    body, whole = await read_body(request)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        return None
    return MultiDict(fields) if whole else None


async def keep(door: Door, arrival: Arrival | None, answer: web.Response | None = None) -> web.Response:
    """200 once the arrival is safe. 503 when it could not be kept, so that the provider tries again."""
    try:
        if arrival is not None:
            await door.accept(arrival)
    except StoreUnavailable:
        return web.Response(status=503)
    return answer or web.Response()
