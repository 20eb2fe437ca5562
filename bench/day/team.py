"""The processes that do the work, and the one line that says how far they are."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from queue import Empty
from types import TracebackType
from typing import Any

from bench.day.shard import Job, work

_told: Any = None  # in a worker: where it says how far it is


def _begin(queue: Any) -> None:
    global _told
    _told = queue


def _work(job: Job) -> dict[str, Any]:
    return work(job, lambda name, seconds: _told.put((name, seconds / job.until)))


class Team:
    """A pool of processes with a progress line on a terminal; use it as a context."""

    def __init__(self, processes: int, *, quiet: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue()
        self._pool = ProcessPoolExecutor(
            processes, mp_context=context, initializer=_begin, initargs=(self._queue,), max_tasks_per_child=1
        )
        self._quiet = quiet

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._queue.close()

    def say(self, what: str) -> None:
        """Names the next part."""
        print(f"{what} ...", file=sys.stderr, flush=True)

    def all(
        self, jobs: Sequence[Job], idle: tuple[Callable[..., dict[str, Any]], tuple[Any, ...]] | None = None
    ) -> list[dict[str, Any]]:
        """What each job brought home, in their order (and what `idle` did, last)."""
        futures: list[Future[dict[str, Any]]] = [self._pool.submit(_work, job) for job in jobs]
        if idle is not None:
            futures.append(self._pool.submit(idle[0], *idle[1]))
        shares = {job.name: 0.0 for job in jobs}
        while wait(futures, timeout=0.5).not_done:
            self._hear(shares)
            if any(one.done() and one.exception() is not None for one in futures):
                break
        if not self._quiet:
            print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
        return [one.result() for one in futures]

    def _hear(self, shares: dict[str, float]) -> None:
        while True:
            try:
                name, share = self._queue.get_nowait()
            except Empty:
                break
            shares[name] = max(shares.get(name, 0.0), share)
        if not self._quiet:
            done = sum(shares.values()) / max(1, len(shares))
            bar = "█" * int(done * 40)
            print(f"\r  {bar:40s} {done:4.0%}", end="", file=sys.stderr, flush=True)
