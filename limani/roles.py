"""What a process may be there for. All of them in one, or each in any number of processes."""

from __future__ import annotations

ROLES = ("web", "worker", "pager")
