"""The small words of a telephone call: its states, what is heard, whom it is put through to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"]
FINAL = {"completed", "busy", "failed", "no-answer", "canceled"}
EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, slots=True)
class Words:
    """Something heard on the line; for a recording `text` is its address."""

    text: str
    language: str = ""
    voice: str = ""
    kind: Literal["say", "play"] = "say"


@dataclass(frozen=True, slots=True)
class Connection:
    """Whom the call was put through to."""

    kind: Literal["conference", "number", "queue"]
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """What Calls.json asked for; `ring_seconds` is its Timeout."""

    url: str = ""
    method: str = "POST"
    twiml: str = ""
    fallback_url: str = ""
    status_url: str = ""
    status_method: str = "POST"
    events: tuple[str, ...] = ("completed",)
    ring_seconds: float = 60.0
    machine_detection: str = ""
    async_amd_url: str = ""
