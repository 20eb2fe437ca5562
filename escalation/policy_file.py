"""Reads a policy file. All mistakes at once, with their lines."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from escalation.forms import FormError, Strict, not_empty, problem, read_form
from escalation.policy import ORDINALS, Policy, PolicyStep
from escalation.roster import Roster

_LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def _length(value: object) -> timedelta:
    match = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or float(match[1]) == 0:
        raise ValueError("a length of time is written like 60s, 2m or 1h")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


Length = Annotated[timedelta, BeforeValidator(_length)]


class _Step(Strict):
    who: Annotated[str, Field(min_length=1)]
    by: Annotated[tuple[Literal["voice", "sms"], ...], AfterValidator(not_empty)]
    lasts: Annotated[Length, Field(alias="for")]


class _File(Strict):
    steps: Annotated[tuple[_Step, ...], AfterValidator(not_empty)]
    repeat: Annotated[int, Field(ge=1, le=100)] = 1
    contact_within: Length = timedelta(minutes=5)


def read_policy(path: Path, roster: Roster) -> Policy:
    """The policy of a file; its names are people of this roster. Raises FormError with every mistake."""
    form, file = read_form(path, _File)
    known = {*ORDINALS, "supervisor", "everyone", *roster.people}
    rule = "who is first, second, third, ..., supervisor, everyone, or a key of the roster"
    wrong = [
        problem(file, ("steps", i, "who"), rule) for i, step in enumerate(form.steps) if step.who not in known
    ]
    if wrong:
        raise FormError(wrong)
    steps = tuple(PolicyStep(step.who, tuple(dict.fromkeys(step.by)), step.lasts) for step in form.steps)
    return Policy(steps, form.repeat, form.contact_within)
