"""The profile: everything that makes this Heraklion and not another town.

One folder of YAML files, read and checked at start. All mistakes are reported at once, with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, ValidationError

from config.facts import FactEntry, FactKind, FactView, Words, in_language
from config.office import Office
from config.yamlfile import YamlError, YamlFile, read_yaml

FILES = ("profile.yaml", "facts.yaml", "services.yaml", "hotlines.yaml")


class ProfileError(ValueError):
    """A profile that may not be used. `problems` holds one line per mistake: file, line, what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The profile has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("this is no time zone, write for example Europe/Athens") from error
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Strict):
    """How sure understanding must be. `start`: an intent above this begins its form when nothing is under
    way. `switch`: a new request in the middle of another form is only offered above this."""

    start: Annotated[float, Field(ge=0, le=1)] = 0.4
    switch: Annotated[float, Field(ge=0, le=1)] = 0.6


class WebChat(_Strict):
    """Pages that may embed the web chat, as origins (https://host), and the harmless page that its quick
    exit opens."""

    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    exit_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = "https://www.emy.gr/"


class Town(_Strict):
    """profile.yaml: whose bot this is, and its clock, languages and thresholds."""

    municipality: Words
    department: Words
    bot_name: Annotated[str, Field(min_length=1)]
    timezone: Annotated[str, AfterValidator(_zone)]
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    default_language: str
    ref_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    office: Office
    thresholds: Thresholds = Thresholds()
    web_chat: WebChat = WebChat()


class Service(_Strict):
    """One intent: its name, the fact that holds the desk's phone, and the lines that answer at night.
    `explained`: the bot has a text about it, which has to give these numbers (limani flows check)."""

    name: Words
    contact: str
    around_the_clock: tuple[str, ...] = ()
    explained: bool = False


class _Facts(RootModel[tuple[FactEntry, ...]]):
    """facts.yaml."""


class _Services(RootModel[dict[str, Service]]):
    """services.yaml: intent -> service."""


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Lines = Annotated[tuple[str, ...], BeforeValidator(_list), Field(min_length=1)]


class _Hotlines(RootModel[dict[str, Lines]]):
    """hotlines.yaml: kind of danger -> fact ids."""


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Profile:
    """A checked profile. `roster_path` and `policy_path` are the town's own files; settings may replace
    them, and the escalation room reads them."""

    folder: Path
    town: Town
    facts: Mapping[str, FactEntry]
    services: Mapping[str, Service]
    hotlines: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, path: Path | str) -> Profile:
        """Reads a profile folder. Raises ProfileError with every mistake in it."""
        return _load(Path(path))

    @property
    def zone(self) -> ZoneInfo:
        """The town's time zone."""
        return ZoneInfo(self.town.timezone)

    @property
    def roster_path(self) -> Path:
        """The town's roster file."""
        return self.folder / "roster.yaml"

    @property
    def policy_path(self) -> Path:
        """The town's paging policy file."""
        return self.folder / "policy.yaml"

    def words(self, words: Words, language: str) -> str:
        """A text of the profile in one language, else in the default language."""
        return in_language(words, language, self.town.default_language)

    def facts_at(self, now: datetime, language: str) -> dict[str, FactView]:
        """Every fact as a citizen may be told it at this aware moment, by id. The bot's own name and
        house are facts too: `town.municipality`, `town.department`, `town.bot_name`, always sure."""
        today, default = now.astimezone(self.zone).date(), self.town.default_language
        views = {id_: fact.view(today, language, default) for id_, fact in self.facts.items()}
        own = self._own()
        return views | {
            f"town.{name}": FactView(self.words(words, language), True, other=words)
            for name, words in own.items()
        }

    def _own(self) -> dict[str, Words]:
        town = self.town
        return {
            "municipality": town.municipality,
            "department": town.department,
            "bot_name": dict.fromkeys(town.languages, town.bot_name),
        }

    def office_open(self, now: datetime) -> bool:
        """Whether the municipality's phones answer at this aware moment."""
        return self.town.office.open_at(now, self.zone)

    def unsure_facts(self, now: datetime) -> tuple[str, ...]:
        """Ids of facts that may not be stated as sure today, for doctor and the supervisor's list."""
        views = self.facts_at(now, self.town.default_language)
        return tuple(id_ for id_ in self.facts if not views[id_].sure)


def _load(folder: Path) -> Profile:
    if not folder.is_dir():
        raise ProfileError([f"{folder}: there is no such folder"])
    problems: list[str] = []
    files = {name: _read(folder / name, problems) for name in FILES}
    town = _check(Town, files["profile.yaml"], problems)
    facts = _check(_Facts, files["facts.yaml"], problems)
    services = _check(_Services, files["services.yaml"], problems)
    hotlines = _check(_Hotlines, files["hotlines.yaml"], problems)
    problems += [f"{name}:1: this file is missing" for name in _absent(folder)]
    if town is None or facts is None or services is None or hotlines is None:
        raise ProfileError(problems)
    problems += _crossings(town, facts, services, hotlines, files)
    if problems:
        raise ProfileError(problems)
    return Profile(folder, town, {fact.id: fact for fact in facts.root}, services.root, hotlines.root)


def _absent(folder: Path) -> list[str]:
    return [name for name in ("roster.yaml", "policy.yaml") if not (folder / name).is_file()]


def _read(path: Path, problems: list[str]) -> YamlFile | None:
    try:
        return read_yaml(path)
    except YamlError as error:
        problems += error.problems
        return None


def _check(model: type[Model], file: YamlFile | None, problems: list[str]) -> Model | None:
    if file is None:
        return None
    try:
        return model.model_validate(file.data)
    except ValidationError as error:
        problems += [_problem(file, fault["loc"], fault["msg"]) for fault in error.errors()]
        return None


def _problem(file: YamlFile, place: tuple[int | str, ...], message: str) -> str:
    shown = ".".join(str(step) for step in place) or "file"
    return f"{file.where(place)}: {shown}: {message.removeprefix('Value error, ')}"


def _crossings(
    town: Town, facts: _Facts, services: _Services, hotlines: _Hotlines, files: Mapping[str, YamlFile | None]
) -> list[str]:
    """Mistakes that no file shows by itself: names that lead nowhere, lines that nobody may dial."""
    known = {fact.id: fact for fact in facts.root}
    found = list(_twice(facts.root, files["facts.yaml"]))
    if town.default_language not in town.languages:
        found.append("profile.yaml:1: default_language: this language is not in `languages`")
    for intent, service in services.root.items():
        named = (service.contact, *service.around_the_clock)
        found += _undialable(named, known, (intent,), files["services.yaml"])
    for kind, named in hotlines.root.items():
        found += _undialable(named, known, (kind,), files["hotlines.yaml"])
    if "any" not in hotlines.root:
        found.append("hotlines.yaml:1: any: the lines for every other danger are missing")
    return found


def _twice(facts: Iterable[FactEntry], file: YamlFile | None) -> Iterable[str]:
    seen: set[str] = set()
    for i, fact in enumerate(facts):
        if fact.id in seen and file is not None:
            yield _problem(file, (i, "id"), f"the fact '{fact.id}' is written twice")
        seen.add(fact.id)


def _undialable(
    named: Iterable[str], known: Mapping[str, FactEntry], place: tuple[int | str, ...], file: YamlFile | None
) -> list[str]:
    if file is None:
        return []
    found = []
    for id_ in named:
        fact = known.get(id_)
        if fact is None:
            found.append(_problem(file, place, f"there is no fact '{id_}' in facts.yaml"))
        elif fact.kind not in (FactKind.phone, FactKind.hotline):
            found.append(_problem(file, place, f"'{id_}' is no phone and no hotline"))
        elif not fact.dialable:
            found.append(_problem(file, place, f"'{id_}' is not verified, nobody may be sent there"))
    return found
