"""Named instants at which the fault rig may end, stop or slow the process. In service nobody listens.

A point stands before and after whatever cannot be taken back: a commit, a request to a provider, an answer
to one. `tests/faults` numbers them and kills the process at each.
"""

from __future__ import annotations

from collections.abc import Callable


def _nobody(point: str) -> None:
    return None


_listener: Callable[[str], None] = _nobody


def listen(listener: Callable[[str], None]) -> None:
    """From now on `listener` is told of every point that is reached, in whatever thread reaches it."""
    global _listener
    _listener = listener


def reach(point: str) -> None:
    """The process has come to `point`, a name such as "store.commit"."""
    _listener(point)
