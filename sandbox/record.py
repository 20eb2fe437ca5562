"""What the stand-ins saw: every request they received, and everything that happened on a phone.

Tests ask `requests()` and wait with `until()`; the demo page subscribes to the feed of events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sandbox.journal import Journal

Found = TypeVar("Found")
Event = dict[str, Any]
SECRET_HEADERS = {"authorization", "x-viber-auth-token", "cookie", "x-telegram-bot-api-secret-token"}
SECRET_PARAMS = {"auth_token", "secret_token"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; params that the client repeated are lists. `at` is Unix seconds."""

    number: int
    at: float
    provider: str
    method: str
    path: str
    params: dict[str, Any]
    headers: dict[str, str]


class Record:
    """Shared by any number of stand-ins, so that the order between providers is kept.

    `forgetful`: only the journal keeps what happened, for floods that would fill the memory."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        journal: Journal | None = None,
        forgetful: bool = False,
    ) -> None:
        self.clock = clock
        self.events: list[Event] = []
        self._requests: list[Request] = []
        self._journal = journal
        self._forgetful = forgetful
        self._noted = self._happened = 0
        self._feeds: list[asyncio.Queue[Event]] = []
        self._waiters: list[asyncio.Future[None]] = []

    def note(
        self, provider: str, method: str, path: str, params: dict[str, Any], headers: dict[str, str]
    ) -> Request:
        """Keep one received request, without its secrets."""
        self._noted += 1
        request = Request(
            number=self._noted,
            at=self.clock(),
            provider=provider,
            method=method,
            path=path,
            params={k: "(secret)" if k in SECRET_PARAMS else _plain(v) for k, v in params.items()},
            headers={k: v for k, v in headers.items() if k.lower() not in SECRET_HEADERS},
        )
        if not self._forgetful:
            self._requests.append(request)
        self._keep({"entry": "request", **asdict(request)})
        return request

    def happened(self, provider: str, kind: str, phone: str, **details: Any) -> Event:
        """Tell everybody what just happened on a phone; details must fit into JSON."""
        self._happened += 1
        event: Event = {
            "number": self._happened,
            "at": self.clock(),
            "provider": provider,
            "kind": kind,
            "phone": phone,
            **details,
        }
        if not self._forgetful:
            self.events.append(event)
        for feed in self._feeds:
            feed.put_nowait(event)
        self._keep({"entry": "event", **event})
        return event

    def requests(self, provider: str | None = None, path: str | None = None, **params: Any) -> list[Request]:
        """Received requests in order, filtered by provider, a part of the path and exact parameters."""
        return [
            request
            for request in self._requests
            if provider in (None, request.provider)
            and (path is None or path in request.path)
            and all(str(request.params.get(k)) == str(v) for k, v in params.items())
        ]

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue of all events from now on."""
        feed: asyncio.Queue[Event] = asyncio.Queue()
        self._feeds.append(feed)
        try:
            yield feed
        finally:
            self._feeds.remove(feed)

    async def until(
        self, look: Callable[[], Found | None], within: float = 5.0, or_say: Callable[[], str] = str
    ) -> Found:
        """What `look` finds, looking again after each change; AssertionError after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not (found := look()):
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
                return found
        except TimeoutError:
            raise AssertionError(or_say() or f"did not happen within {within} s") from None

    def touch(self) -> None:
        """Let those who wait look again; for changes that are no event."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _keep(self, entry: dict[str, Any]) -> None:
        if self._journal is not None:
            self._journal.write(entry)
        self.touch()


def _plain(value: Any) -> Any:
    """An uploaded file is named, not kept."""
    return value if value is None or isinstance(value, str | int | float | list | dict) else str(value)
