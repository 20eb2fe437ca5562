"""Session <-> JSON text, for the row it lives in between two steps.

Strict about what it knows (a wrong type raises ValueError), tolerant of keys it does not: a newer
release may have written them, and a rollback must still read the session.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flows.events import Answer
from flows.session import Case, CasePhase, Parked, Session

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_SESSION, _PARKED, _CASE = ([field.name for field in fields(kind)] for kind in (Session, Parked, Case))
_OPTIONAL_TEXTS = ("flow", "node", "proposed", "returning", "wait", "topic", "ref")


def dumps(session: Session) -> str:
    """The session as one line of JSON, keys sorted."""
    return _encode(_fields(session))


def _fields(session: Session) -> dict[str, Any]:
    """All fields by name, those of the parts as well (`dataclasses.asdict` copies, and costs ten times as
    much)."""
    data = {name: getattr(session, name) for name in _SESSION}
    data["parked"] = [{name: getattr(parked, name) for name in _PARKED} for parked in session.parked]
    if session.case is not None:
        data["case"] = {name: getattr(session.case, name) for name in _CASE}
    return data


def loads(text: str) -> Session:
    """The session that `dumps` wrote. Raises ValueError for anything that is not one."""
    data = _mapping(json.loads(text), "session")
    optional = {name: _text(data, name) for name in _OPTIONAL_TEXTS}
    return Session(
        language=_text(data, "language") or "el",
        language_chosen=_flag(data, "language_chosen"),
        greeted=_flag(data, "greeted"),
        answers=_answers(data),
        trail=_texts(data, "trail"),
        parked=tuple(_parked(item) for item in _list(data, "parked")),
        case=_case(data["case"]) if data.get("case") is not None else None,
        misses=_count(data, "misses"),
        steps=_count(data, "steps"),
        **optional,
    )


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no object")
    return value


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _needed(data: Mapping[str, Any], name: str) -> str:
    value = _text(data, name)
    if value is None:
        raise ValueError(f"{name} is missing")
    return value


def _flag(data: Mapping[str, Any], name: str) -> bool:
    value = data.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is no true or false")
    return value


def _count(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is no whole number")
    return value


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return value


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(data, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} holds something that is no text")
    return tuple(values)


def _answers(data: Mapping[str, Any]) -> dict[str, Answer]:
    answers = dict(_mapping(data.get("answers", {}), "answers"))
    if not all(value is None or isinstance(value, str | int | float | bool) for value in answers.values()):
        raise ValueError("answers hold something that is no answer")
    return answers


def _case(value: object) -> Case:
    data = _mapping(value, "case")
    return Case(
        _needed(data, "ref"),
        _needed(data, "topic"),
        _needed(data, "risk"),
        _text(data, "risk_kind"),
        CasePhase(_needed(data, "phase")),
    )


def _parked(value: object) -> Parked:
    data = _mapping(value, "parked")
    return Parked(
        flow=_needed(data, "flow"),
        node=_needed(data, "node"),
        answers=_answers(data),
        trail=_texts(data, "trail"),
        topic=_text(data, "topic"),
        ref=_text(data, "ref"),
        returning=_text(data, "returning"),
        returns=_flag(data, "returns"),
    )
