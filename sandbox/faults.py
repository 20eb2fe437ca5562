"""Faults on order: what a provider does when it has a bad day.

`faults.add("/Calls.json", Fault.timeout(after_commit=True))`: the next call is placed and its answer never
arrives. A match is a part of the path, an exact parameter value (a phone, a chat id), "*" or a function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sandbox.record import Request

Match = str | Callable[[Request], bool]
Kind = Literal["status", "reset", "timeout", "delay", "rate_limited", "garbage"]
GARBAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. With after_commit the request takes effect and only its answer is spoilt."""

    kind: Kind
    status_code: int = 200
    body: str = ""
    seconds: float = 0.0
    after_commit: bool = False

    @staticmethod
    def status(code: int, body: str = "", after_commit: bool = False) -> Fault:
        """Answer with this HTTP status and body."""
        return Fault("status", status_code=code, body=body, after_commit=after_commit)

    @staticmethod
    def reset(after_commit: bool = False) -> Fault:
        """Cut the connection without an answer."""
        return Fault("reset", after_commit=after_commit)

    @staticmethod
    def timeout(after_commit: bool = False) -> Fault:
        """Never answer."""
        return Fault("timeout", after_commit=after_commit)

    @staticmethod
    def delay(seconds: float) -> Fault:
        """Wait, then serve as usual."""
        return Fault("delay", seconds=seconds)

    @staticmethod
    def rate_limited(retry_after: float = 1) -> Fault:
        """The provider's own "too many requests"; the request has no effect."""
        return Fault("rate_limited", seconds=retry_after)

    @staticmethod
    def garbage(after_commit: bool = False) -> Fault:
        """200 with HTML where JSON is due."""
        return Fault("garbage", body=GARBAGE, after_commit=after_commit)


@dataclass(frozen=True, slots=True)
class _Order:
    match: Match
    fault: Fault
    times: int | None


class Faults:
    """A queue: the first order that matches a request is used, `times` times (None: for ever)."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def add(self, match: Match, fault: Fault, times: int | None = 1) -> None:
        """Order a fault for the next matching requests."""
        self._orders.append(_Order(match, fault, times))

    def clear(self) -> None:
        """A good day from now on."""
        self._orders.clear()

    @property
    def waiting(self) -> int:
        """How many orders have not been used up."""
        return len(self._orders)

    def take(self, request: Request) -> Fault | None:
        """The fault for this request, if any."""
        for index, order in enumerate(self._orders):
            if _matches(order.match, request):
                self._use(index, order)
                return order.fault
        return None

    def _use(self, index: int, order: _Order) -> None:
        if order.times is None:
            return
        if order.times <= 1:
            del self._orders[index]
        else:
            self._orders[index] = replace(order, times=order.times - 1)


def _matches(match: Match, request: Request) -> bool:
    if callable(match):
        return match(request)
    return match == "*" or match in request.path or match in {str(v) for v in request.params.values()}
