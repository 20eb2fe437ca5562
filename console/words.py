"""The console's own words in Greek and English, and times as people say them.

The catalogue is texts/<language>.yaml; a test holds both files to the same keys and the same blanks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

LANGUAGES = ("el", "en")
_FOLDER = Path(__file__).parent / "texts"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language by its dotted key."""
    text = (_FOLDER / f"{language}.yaml").read_text(encoding="utf-8")
    read = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - plain strings only: "no" is a word here
    return dict(_flat(read, ""))


class Words:
    """Speaks one language in one time zone."""

    def __init__(self, language: str, zone: ZoneInfo, now: datetime) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._texts = catalogue(self.language)
        self._zone = zone
        self._now = now

    def say(self, key: str, **blanks: Any) -> str:
        """The text of a key with its blanks filled in. Raises KeyError for a key that nobody wrote."""
        return self._texts[key].format_map(blanks) if blanks else self._texts[key]

    def name(self, family: str, word: str | None) -> str:
        """A word of ours in the reader's language (topic.food_aid); a word that the catalogue does not
        know is shown as it is."""
        return self._texts.get(f"{family}.{word}", (word or "").replace("_", " "))

    def known(self, family: str) -> dict[str, str]:
        """All words of a family, in the order of the catalogue: word -> text."""
        prefix = f"{family}."
        return {key[len(prefix) :]: text for key, text in self._texts.items() if key.startswith(prefix)}

    def ago(self, moment: datetime) -> str:
        """How long ago, in the largest fitting unit; after a week the date."""
        passed = self._now - moment
        if passed < timedelta(seconds=45):
            return self.say("time.now")
        for unit, length in (("minute", 60), ("hour", 3600), ("day", 86_400)):
            count = max(1, round(passed.total_seconds() / length))
            if count < {"minute": 60, "hour": 24, "day": 8}[unit]:
                return self.say(f"time.{unit}" if count == 1 else f"time.{unit}s", n=count)
        return self.date(moment)

    def clock(self, moment: datetime) -> str:
        """03:12, in the town's time."""
        return moment.astimezone(self._zone).strftime("%H:%M")

    def date(self, moment: datetime) -> str:
        """Tuesday 12 January; another year is named."""
        local = moment.astimezone(self._zone)
        spoken = (
            f"{self.name('weekday', str(local.weekday()))} {local.day} {self.name('month', str(local.month))}"
        )
        return spoken if local.year == self._now.astimezone(self._zone).year else f"{spoken} {local.year}"

    def exact(self, moment: datetime) -> str:
        """Tuesday 12 January, 03:12:09."""
        return f"{self.date(moment)}, {moment.astimezone(self._zone):%H:%M:%S}"

    def short(self, moment: datetime) -> str:
        """The clock for today, the date before that."""
        today = self._now.astimezone(self._zone).date()
        return self.clock(moment) if moment.astimezone(self._zone).date() == today else self.date(moment)


def _flat(branch: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in branch.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
