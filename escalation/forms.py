"""What roster and policy files share: one strict model, and every mistake at once with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from config.yamlfile import YamlError, YamlFile, read_yaml

Model = TypeVar("Model", bound="Strict")
T = TypeVar("T")


class Strict(BaseModel):
    """A part of a file: unknown keys are mistakes, because a mistyped one would silently page nobody."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormError(ValueError):
    """A file that may not be used. `problems`: one line per mistake with file, line and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_form(path: Path, model: type[Model]) -> tuple[Model, YamlFile]:
    """The checked content of a file and where everything stands in it. Raises FormError."""
    try:
        file = read_yaml(path)
        return model.model_validate({} if file.data is None else file.data), file
    except YamlError as error:
        raise FormError(error.problems) from error
    except ValidationError as error:
        faults = [(fault["loc"], fault["msg"]) for fault in error.errors()]
        raise FormError([problem(file, place, message) for place, message in faults]) from None


def not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    """For lists that need something in them. (A minimum length would be a second complaint about a list
    whose items are wrong.)"""
    if not items:
        raise ValueError("this list needs at least one entry")
    return items


def problem(file: YamlFile, place: tuple[str | int, ...], message: str) -> str:
    """One mistake in one line."""
    shown = ".".join(str(part) for part in place) or "file"
    return f"{file.where(place)}: {shown}: {message.removeprefix('Value error, ')}"
