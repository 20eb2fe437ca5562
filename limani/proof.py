"""The static proof of the flows against a profile: for `limani flows check`, the doctor and the tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from config.profile import Profile
from flows.check import Problem, check
from flows.model import Library
from flows.session import Fact

# The first text of each kind of danger, while somebody can be rung and while nobody can.
_FIRST_WORDS = {
    "any": "stay",
    "suicide": "stay",
    "self_harm": "stay_hurt",
    "threat": "stay_threat",
    "violence": "stay_violence",
    "child": "stay_child",
    "medical": "stay_medical",
}


def prove(library: Library, profile: Profile, now: datetime) -> list[Problem]:
    """Every problem of the flows as this town would speak them today."""
    views = profile.facts_at(now, profile.town.default_language)
    facts = {name: Fact(view.value, view.sure, view.dialable, view.other) for name, view in views.items()}
    return check(library, facts, wanted(profile))


def wanted(profile: Profile) -> Mapping[str, Collection[str]]:
    """Which facts the profile wants in which text: the lines of hotlines.yaml in the first words to
    somebody in danger, the desk and the night lines of services.yaml where a service is explained."""
    found: dict[str, Collection[str]] = {}
    for kind, lines in profile.hotlines.items():
        for key in (_FIRST_WORDS[kind], f"{_FIRST_WORDS[kind]}_alone"):
            found[f"crisis.{key}"] = {*found.get(f"crisis.{key}", ()), *lines}
    for intent, service in profile.services.items():
        if service.explained:
            found[f"other_service.{intent}"] = (service.contact, *service.around_the_clock)
    return found
