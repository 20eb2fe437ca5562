"""The way a command says no: one clear sentence on stderr and exit code 2."""

from __future__ import annotations


class Told(Exception):
    """What was wrong with the input, and what to do, in one sentence (or one a line)."""
