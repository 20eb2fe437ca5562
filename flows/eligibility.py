"""Indicative eligibility: plain tables that a citizen may check, explained reason by reason.

Orientation only. A verdict is shown to the citizen in the step that makes it and is never kept: not in
the answers, not in the ticket, not as a score (docs/flows.md). Each rule names the day it was published;
a rule that cannot be known for today says unsure rather than no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from flows.events import Answer

Answers = Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Verdict:
    """outcome    likely, unlikely or unsure
    because    names of the reasons; the flow has a text because_<name> for each
    rule_date  the day from which the rule is known to have applied
    """

    outcome: str
    because: tuple[str, ...]
    rule_date: date


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a rule: `test` says True, False, or None where the answer is missing."""

    name: str
    test: Callable[[Answers], bool | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Every condition must hold. `certain` False: even then only unsure (limits not published)."""

    conditions: tuple[Condition, ...]
    rule_date: date
    certain: bool = True


def number(answers: Answers, slot: str) -> float | None:
    """A numeric answer, None where it is missing."""
    value = answers.get(slot)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_one_of(slot: str, *values: str) -> Callable[[Answers], bool | None]:
    """A test: the answer is one of these. `unsure` and a missing answer say neither."""

    def test(answers: Answers) -> bool | None:
        value = answers.get(slot)
        return None if value in {None, "unsure", "unknown"} else value in values

    return test


def at_most(slot: str, limit: Callable[[Answers], float | None]) -> Callable[[Answers], bool | None]:
    """A test: a number is not above a limit that depends on the household."""

    def test(answers: Answers) -> bool | None:
        value, most = number(answers, slot), limit(answers)
        return None if value is None or most is None else value <= most

    return test


def household(answers: Answers) -> tuple[float, float] | None:
    """(adults, minors) of slots `adults` and `minors`, or of `people` and `children`."""
    minors = number(answers, "minors")
    minors = number(answers, "children") if minors is None else minors
    adults, people = number(answers, "adults"), number(answers, "people")
    if minors is None or (adults is None and people is None):
        return None
    adults = people - minors if adults is None and people is not None else adults
    return (adults, minors) if adults is not None and adults >= 1 and minors >= 0 else None


def guaranteed_income(answers: Answers) -> float | None:
    """Guaranteed minimum income a month in euro: 216, +108 an adult, +54 a minor, at most 972; the
    oldest minor of a single parent counts as an adult (ΦΕΚ Β 6456/2023)."""
    home = household(answers)
    if home is None:
        return None
    adults, minors = home
    if adults == 1 and minors >= 1:
        adults, minors = 2, minors - 1
    return min(216 + 108 * (adults - 1) + 54 * minors, 972)


def _six_months(answers: Answers) -> float | None:
    monthly = guaranteed_income(answers)
    return None if monthly is None else 6 * monthly


def power_limit(answers: Answers) -> float | None:
    """Yearly income for the social power tariff B: 9,000, +4,500 an adult, +2,250 a minor, at most
    31,500. A single parent's first minor counts as an adult. Published examples for big households
    contradict the formula, so it is given for at most four people."""
    home = household(answers)
    if home is None or sum(home) > 4:
        return None
    adults, minors = home
    if adults == 1 and minors >= 1:
        adults, minors = 2, minors - 1
    return min(9000 + 4500 * (adults - 1) + 2250 * minors, 31500)


# Papers and property are looked at by people; here stand only the lines that a citizen can answer.
RULES: Mapping[str, Rule] = {
    # DEYAH's special tariff of 2017-18. Today's limits are not published: never better than unsure.
    "water_tariff": Rule(
        (
            Condition("registered", is_one_of("registered", "yes")),
            Condition("meter", is_one_of("meter_name", "me", "own", "relative", "family")),
            Condition("low_income", is_one_of("income", "none", "low", "welfare")),
        ),
        date(2018, 2, 2),
        certain=False,
    ),
    # Limits of property exist and are not coded: a fitting income alone is likely, not sure.
    "guaranteed_income": Rule(
        (Condition("six_months", at_most("income_six_months", _six_months)),), date(2023, 12, 1)
    ),
    "power_tariff": Rule((Condition("income", at_most("income_year", power_limit)),), date(2025, 9, 22)),
    "housing_allowance": Rule(
        (Condition("income", at_most("income_year", lambda _: 21000.0)),), date(2025, 9, 3), certain=False
    ),
}


def judge(rule: Rule, answers: Answers) -> Verdict:
    """Applies a rule. One condition that fails decides; one that is unknown leaves it open."""
    results = [(condition.name, condition.test(answers)) for condition in rule.conditions]
    failed = tuple(f"not_{name}" for name, held in results if held is False)
    unknown = tuple(f"unknown_{name}" for name, held in results if held is None)
    if failed:
        return Verdict("unlikely" if rule.certain else "unsure", failed, rule.rule_date)
    if unknown or not rule.certain:
        return Verdict("unsure", unknown or tuple(name for name, _ in results), rule.rule_date)
    return Verdict("likely", tuple(name for name, _ in results), rule.rule_date)


def _judging(rule: Rule) -> Callable[[Answers], Verdict]:
    return lambda answers: judge(rule, answers)


ELIGIBILITY: Mapping[str, Callable[[Answers], Verdict]] = {
    name: _judging(rule) for name, rule in RULES.items()
}
