"""Structured logs without a citizen's word: names of events, ids, counts, and nothing else.

An allow-list decides which fields may be printed, because a block-list forgets. Exceptions are named by
type and place, never by message.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import Processor

from store.loop import place

_ALLOWED = frozenset(
    {"event", "level", "timestamp", "loop", "error", "where", "status", "code", "seconds", "name", "limit"}
    | {"channel", "stimulus", "tries", "count", "bytes", "citizen", "ticket", "version", "role"}
    | {"page", "attempt", "person", "means", "why", "outcome", "url", "port", "host", "path"}
    | {"request", "process", "round", "mend"}
)
REQUEST: ContextVar[int] = ContextVar("request")
"""The number of the HTTP request that is being answered; its lines are told by it."""
_LONGEST = 120
_QUIET = ("aiohttp.access", "httpx", "httpcore", "telegram", "twilio", "asyncio", "alembic", "urllib3")


def _allow(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        name: value if isinstance(value, int | float) else str(value)[:_LONGEST]
        for name, value in fields.items()
        if name in _ALLOWED and value is not None
    }


def _placed(role: str) -> Processor:
    """Adds which process says it, in which role, and in answer to which request: what several processes
    write into one place stays apart. A turn's lines are told by their stimulus."""

    def place(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields["process"] = os.getpid()
        if role:
            fields.setdefault("role", role)
        if (number := REQUEST.get(0)) and "request" not in fields:
            fields["request"] = number
        return fields

    return place


def set_up_logs(level: str, role: str = "") -> None:
    """One JSON object a line on stderr. Libraries that print addresses or tokens are silenced. `role` is
    what this process is there for."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _placed(role),
            _allow,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


class _Lines:
    """Prints to whatever stderr is at that moment. A log that cannot be written (a full disk, a reader who
    has gone) must never stop the work that it tells of: the loops log from where they catch their errors."""

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)

    log = debug = info = warning = warn = error = critical = fatal = exception = msg


def quiet_ends() -> None:
    """What nobody catches is named by type and place too: a trace on stderr would print its message."""

    def told(kind: type[BaseException], trace: TracebackType | None) -> None:
        structlog.get_logger().error("uncaught", error=kind.__name__, where=place(trace))

    sys.excepthook = lambda kind, _error, trace: told(kind, trace)
    sys.unraisablehook = lambda given: told(given.exc_type, given.exc_traceback)
    threading.excepthook = lambda given: told(given.exc_type, given.exc_traceback)


class _LibraryHandler(logging.Handler):
    """What libraries log: who and where, never their message (it may hold a body or an address)."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        where = f"{record.filename}:{record.lineno}"
        structlog.get_logger().warning("library", name=record.name, where=where, error=error)
