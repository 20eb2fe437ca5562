"""The named conditions of flows: predicates for `go`. Eligibility rules are in flows.eligibility.

YAML holds no expressions; whoever needs a new condition adds one line to PREDICATES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flows.eligibility import ELIGIBILITY, Verdict
from flows.events import Answer
from flows.model import Ask, Flow
from flows.session import CasePhase, Context, Session

__all__ = ["ELIGIBILITY", "PREDICATES", "Situation", "Verdict", "holds", "is_predicate"]

CHILD_BAND = "0-17"
TOPIC_IS = "topic_is_"  # and an intent: the one that started the flow


@dataclass(frozen=True, slots=True)
class Situation:
    """What a condition may look at."""

    session: Session
    context: Context

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The answers of the flow under way."""
        return self.session.answers

    @property
    def kind(self) -> str | None:
        """What the danger of the open case is."""
        return self.session.case.risk_kind if self.session.case else None

    @property
    def risk(self) -> str:
        """How dangerous the open case is."""
        return self.session.case.risk if self.session.case else "none"


Predicate = Callable[[Situation], bool]


def _phase(situation: Situation) -> CasePhase | None:
    return situation.session.case.phase if situation.session.case else None


PREDICATES: Mapping[str, Predicate] = {
    "on_call": lambda s: s.context.on_call,
    "nobody_on_call": lambda s: not s.context.on_call,
    "office_open": lambda s: s.context.office_open,
    "weather_on": lambda s: s.context.weather is not None,
    "weather_cold": lambda s: s.context.weather == "cold",
    "weather_heat": lambda s: s.context.weather == "heat",
    "weather_storm": lambda s: s.context.weather == "storm",
    "has_tickets": lambda s: bool(s.context.tickets),
    "has_case": lambda s: s.session.case is not None,
    "has_parked": lambda s: any(not parked.returns for parked in s.session.parked),
    "is_red": lambda s: s.risk == "red",
    "is_amber": lambda s: s.risk == "amber",
    "is_exhausted": lambda s: _phase(s) is CasePhase.exhausted,
    "is_ringing": lambda s: _phase(s) is CasePhase.ringing,
    "kind_suicide": lambda s: s.kind == "suicide",
    "kind_self_harm": lambda s: s.kind == "self_harm",
    "kind_violence": lambda s: s.kind == "violence",
    "kind_child": lambda s: s.kind == "child",
    "kind_threat": lambda s: s.kind == "threat",
    "kind_medical": lambda s: s.kind == "medical",
    "for_other": lambda s: s.answers.get("for_whom") == "other",
    "is_minor": lambda s: s.answers.get("age_band") == CHILD_BAND,
    "speaks_greek": lambda s: s.session.language == "el",
    "started_by_weather": lambda s: s.session.topic == "extreme_weather",
}


def holds(name: str, situation: Situation) -> bool:
    """Whether a predicate holds: one of the table, SLOT_given, or SLOT_is_VALUE. Unknown ones do not."""
    predicate = PREDICATES.get(name)
    if predicate is not None:
        return predicate(situation)
    if name.startswith(TOPIC_IS):
        return situation.session.topic == name.removeprefix(TOPIC_IS)
    if name.endswith("_given"):
        return situation.answers.get(name.removesuffix("_given")) is not None
    slot, found, value = name.partition("_is_")
    return bool(found) and str(situation.answers.get(slot)) == value


def is_predicate(name: str, flow: Flow) -> bool:
    """Whether `holds` knows the name, in a given flow."""
    if name in PREDICATES or name.startswith(TOPIC_IS):
        return True
    slots = {slot for node in flow.nodes.values() if (slot := getattr(node, "slot", None))}
    if name.endswith("_given"):
        return name.removesuffix("_given") in slots
    slot, found, value = name.partition("_is_")
    nodes = [node for node in flow.nodes.values() if getattr(node, "slot", None) == slot]
    return bool(found) and any(not isinstance(node, Ask) or value in node.options for node in nodes)
