"""Reads a roster file: people, and shifts of local time. All mistakes at once, with their lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.yamlfile import YamlFile
from escalation.forms import FormError, Strict, not_empty, problem, read_form
from escalation.roster import MIDNIGHT, Person, Role, Roster, Shift

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEY = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
TAKEN_WORDS = frozenset(
    {"citizen", "bot", "system", "supervisor", "everyone", "first", "second", "third", "fourth", "fifth"}
)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def _days(value: object) -> frozenset[int]:
    found: set[int] = set()
    for part in str(value).replace(" ", "").lower().split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError('days are written like "mon-sun" or "mon,wed"')
        start, end = DAYS.index(first), DAYS.index(last or first)
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(found)


def _minutes(value: object) -> int:
    if value == "24:00":
        return MIDNIGHT
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('times are written in quotes like "08:30", midnight at the end of a day "24:00"')
    return int(match[1]) * 60 + int(match[2])


def _phone(value: str | None) -> str | None:
    if value is not None and not _PHONE.fullmatch(value):
        raise ValueError('a phone is written in quotes with its country, like "+306900000001"')
    return value


class _Person(Strict):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    phone: Annotated[str | None, AfterValidator(_phone)] = None
    languages: Annotated[tuple[str, ...], AfterValidator(not_empty)] = ("el",)
    role: Role = Role.responder


class _Shift(Strict):
    days: Annotated[frozenset[int], BeforeValidator(_days)]
    start: Annotated[int, BeforeValidator(_minutes), Field(alias="from")]
    end: Annotated[int, BeforeValidator(_minutes), Field(alias="to")]
    order: Annotated[tuple[str, ...], AfterValidator(not_empty)]

    @model_validator(mode="after")
    def _check(self) -> _Shift:
        if self.start == MIDNIGHT:
            raise ValueError('a shift begins at "00:00", not at "24:00"')
        return self


class _File(Strict):
    people: dict[str, _Person] = Field(default_factory=dict)
    shifts: tuple[_Shift, ...] = ()


def read_roster(path: Path, zone: ZoneInfo) -> Roster:
    """The roster of a file whose times are of this zone. Raises FormError with every mistake."""
    form, file = read_form(path, _File)
    wrong = [*_bad_keys(form, file), *_strangers(form, file)]
    if wrong:
        raise FormError(wrong)
    people = {key: Person(key, p.name, p.phone, p.languages, p.role) for key, p in form.people.items()}
    shifts = tuple(Shift(shift.days, shift.start, shift.end, shift.order) for shift in form.shifts)
    return Roster(people, shifts, zone)


def _bad_keys(form: _File, file: YamlFile) -> list[str]:
    rule = "a key has small Latin letters and digits, begins with a letter, and is no word of the policy"
    return [
        problem(file, ("people", key), rule)
        for key in form.people
        if not KEY.fullmatch(key) or key in TAKEN_WORDS
    ]


def _strangers(form: _File, file: YamlFile) -> list[str]:
    return [
        problem(file, ("shifts", number, "order", place), f"there is no '{key}' under people")
        for number, shift in enumerate(form.shifts)
        for place, key in enumerate(shift.order)
        if key not in form.people
    ]
