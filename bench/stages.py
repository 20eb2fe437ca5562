"""Where each microsecond of a turn goes: the product's own functions, timed inside the house.

Processor time of the thread, each stage without what it calls of other stages; what remains of a thread is
its event loop, its HTTP server or its waiting queue. Only `python -m bench.profile` switches it on.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

SEALS, STATEMENTS = "seal, open, blind index", "SQLite: statements"
# Stage, and the functions (module:name, as the module that calls them knows them) that it consists of.
STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("verify the secret", ("bot.channels.telegram:TelegramChannel._authentic",)),
    ("parse the update", ("bot.channels.telegram:understand",)),
    (
        "seal, open, blind index",
        ("store.vault:Vault.seal", "store.vault:Vault.open", "store.vault:Vault.indexes"),
    ),
    ("inbox: keep", ("bot.inbox:Inbox.put_all",)),
    ("inbox: claim", ("bot.inbox:Inbox.claim",)),
    ("read: language, intent, risk", ("bot.turn:understand",)),
    ("session: load", ("bot.sessions:Sessions.load",)),
    ("facts and hours", ("bot.world:World.contexts",)),
    ("step through the flow", ("bot.turn:step",)),
    ("deeds: tickets, entries", ("bot.deeds:Deeds.do", "tickets.record:Record.add_all")),
    ("outbox: cut and insert", ("bot.outbox:Outbox.put_all",)),
    ("session: save", ("bot.sessions:Sessions.save",)),
    ("waits", ("bot.turn:set_waits", "bot.turn:cancel_waits")),
    ("inbox: done", ("bot.inbox:Inbox.done",)),
    ("Telegram client: keyboard, request", ("bot.channels.telegram:TelegramChannel.send",)),
    ("Telegram client: end the tap's clock", ("bot.channels.telegram_http:Api.answer_tap",)),
    ("outbox: claim", ("bot.outbox:Outbox.claim",)),
    ("outbox: outcomes", ("bot.outbox:Outbox.all_sent", "bot.outbox:Outbox.busy")),
    (STATEMENTS, ("store.prepared:_ask", "store.prepared:_change", "store.prepared:_change_many")),
    ("SQLite: begin, commit, fsync", ("store.sqlite:_commit_batch",)),
)


class Stopwatch:
    """Nanoseconds and calls of each stage; threads do not mix."""

    def __init__(self) -> None:
        self._spent: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        self._local = threading.local()
        self._begun = _threads()

    def reset(self) -> None:
        """Counts from now on."""
        self._spent.clear()
        self._calls.clear()
        self._begun = _threads()

    def dump(self, path: Path) -> None:
        """Writes what was counted, and what each thread has used in the same time."""
        now, before = _threads(), self._begun
        used = {name: time_ - before.get(name, 0) for name, time_ in now.items()}
        path.write_text(json.dumps({"ns": self._spent, "calls": self._calls, "threads": used}))

    def enter(self, stage: str) -> tuple[int, list[int]]:
        """Begins a stage in this thread."""
        stack: list[list[int]] = self._local.__dict__.setdefault("stack", [])
        inner = [0]  # nanoseconds of the stages that it calls
        stack.append(inner)
        return time.thread_time_ns(), inner

    def leave(self, stage: str, begun: int, inner: list[int]) -> None:
        """Ends it."""
        whole = time.thread_time_ns() - begun
        stack = self._local.stack
        stack.pop()
        if stack:
            stack[-1][0] += whole
        self._spent[stage] = self._spent.get(stage, 0) + whole - inner[0]
        self._calls[stage] = self._calls.get(stage, 0) + 1


def install(watch: Stopwatch) -> list[str]:
    """Wraps every function of STAGES; returns those that the product has no more."""
    gone = missing()
    for stage, names in STAGES:
        for name in names:
            if name not in gone:
                holder, last = _find(name)
                function = getattr(holder, last)
                timed = _timed_coroutine if inspect.iscoroutinefunction(function) else _timed
                setattr(holder, last, timed(watch, stage, function))
    return gone


def missing() -> list[str]:
    """The functions of STAGES that the product has no more."""
    return [name for _, names in STAGES for name in names if not _has(name)]


def _has(name: str) -> bool:
    try:
        holder, last = _find(name)
    except (AttributeError, ImportError):
        return False
    return hasattr(holder, last)


def _find(name: str) -> tuple[Any, str]:
    """The module or class that holds it, and its name there."""
    module, _, path = name.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, last = path.split(".")
    for part in outer:
        holder = getattr(holder, part)
    return holder, last


def _timed(watch: Stopwatch, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*given: Any, **named: Any) -> Any:
        begun, inner = watch.enter(stage)
        try:
            return function(*given, **named)
        finally:
            watch.leave(stage, begun, inner)

    return wrapper


def _timed_coroutine(watch: Stopwatch, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*given: Any, **named: Any) -> Any:
        return await _Steps(watch, stage, function(*given, **named))

    return wrapper


class _Steps:
    """A coroutine of which only the running counts, not the waiting."""

    def __init__(self, watch: Stopwatch, stage: str, work: Any) -> None:
        self._watch, self._stage, self._work = watch, stage, work

    def __await__(self) -> Generator[Any, Any, Any]:
        steps, given = self._work.__await__(), None
        while True:
            begun, inner = self._watch.enter(self._stage)
            try:
                waited = steps.send(given)
            except StopIteration as end:
                return end.value
            finally:
                self._watch.leave(self._stage, begun, inner)
            given = yield waited


def _threads() -> dict[str, int]:
    """Processor nanoseconds of each thread of this process so far."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: dict[str, int] = {}
    for folder in Path("/proc/self/task").iterdir():
        name = names.get(int(folder.name), "other")
        name = "reader" if name.startswith("sqlite-reader") else name
        found[name] = found.get(name, 0) + int((folder / "schedstat").read_text().split()[0])
    return found
