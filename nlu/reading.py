"""What understanding makes of one text, and the words that it may use.

The interface is final: every engine (embedded, Rasa, both) gives a `Reading`, and nothing else of
this room is visible outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Risk(StrEnum):
    """How much a life may be at stake. Ordered: see `Risk.level`."""

    none = "none"
    amber = "amber"
    red = "red"

    @property
    def level(self) -> int:
        """0 none, 1 amber (ask, offer a human), 2 red (page now)."""
        return ("none", "amber", "red").index(self.value)


class RiskKind(StrEnum):
    """What the danger is."""

    suicide = "suicide"
    self_harm = "self_harm"
    violence = "violence"
    child = "child"
    threat = "threat"
    medical = "medical"


INTENTS: tuple[str, ...] = (
    "food_aid",
    "water_tariff",
    "homelessness",
    "extreme_weather",
    "psych_support",
    "violence",
    "child_protection",
    "medical_emergency",
    "health_care",
    "medicines",
    "disability",
    "elderly_care",
    "housing",
    "benefits",
    "newcomers",
    "addiction",
    "volunteering",
    "ticket_status",
    "documents",
    "place_hours",
    "my_data",
    "complaint",
    "human",
    "greeting",
    "thanks",
    "goodbye",
    "yes",
    "no",
    "other",
)

SCRIPTS: tuple[str, ...] = ("greek", "latin", "greeklish", "arabic", "cyrillic", "mixed")


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, understood.

    language    ISO 639-1 code
    script      one of SCRIPTS
    intent      one of INTENTS ("other" when out of scope)
    confidence  of the intent, 0.0 to 1.0, calibrated
    risk        none, amber, red
    risk_kind   what the danger is, None when risk is none
    why         ids of the rules and features that decided, never the citizen's words
    engine      who answered: "embedded", "rasa" or "none" when every engine failed
    """

    language: str
    script: str
    intent: str
    confidence: float
    risk: Risk
    risk_kind: RiskKind | None
    why: tuple[str, ...]
    engine: str = "embedded"


NOT_READ = Reading("el", "greek", "other", 0.0, Risk.amber, None, ("reader_failed",), "none")
"""The reading when understanding itself failed: doubt raises risk, it never lowers it."""


class Reader(Protocol):
    """An engine. `read` never raises on any text; an empty text is intent other and risk none."""

    def read(self, text: str) -> Reading:
        """The reading of one text. Pure CPU, no I/O."""
        ...
