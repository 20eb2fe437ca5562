"""Which core serves, which one makes the load, and what a process has used of them (Linux only)."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
# A process that we have bound to one core must not take it for all that there are: the first one says.
_ALLOWED = os.environ.setdefault("BENCH_CORES", " ".join(map(str, sorted(os.sched_getaffinity(0)))))
_CORES = [int(core) for core in _ALLOWED.split()]
SERVER = _CORES[0]
LOAD = _CORES[-1]
ALL = tuple(_CORES)
BOTH = tuple(dict.fromkeys((SERVER, LOAD)))


def pin(pid: int, *cores: int) -> None:
    """Binds a process (0 = this one) and all threads that it starts later to these cores."""
    os.sched_setaffinity(pid, set(cores))


def pin_tree(pid: int, *cores: int) -> None:
    """Binds a process that runs already, with its threads and its children."""
    for each in (pid, *children(pid)):
        for thread in _threads(each):
            os.sched_setaffinity(thread, set(cores))


def children(pid: int) -> list[int]:
    """The processes that it has started, and theirs."""
    found = [int(child) for thread in _threads(pid) for child in _children_file(pid, thread).split()]
    return [*found, *(deeper for child in found for deeper in children(child))]


def parent(pid: int) -> int:
    """Who started it."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def cpu_seconds(*pids: int) -> float:
    """Processor time that these processes have used so far, in user and in system mode, in seconds."""
    return sum(_ticks(pid) for pid in pids) / _TICK


def resident_mib(pid: int) -> float:
    """Resident memory of a process now, in MiB."""
    return _status(pid, "VmRSS") / 1024


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _threads(pid: int) -> list[int]:
    return [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]


def _children_file(pid: int, thread: int) -> str:
    return Path(f"/proc/{pid}/task/{thread}/children").read_text()
