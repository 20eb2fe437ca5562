"""The citizens: each has a conversation in mind, answers when the bot has answered, and loses patience.

Pure but for its dice: `starts`, `hears` and `loses_patience` say what a citizen does next and when.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import orjson
import yaml

from bench.day.numbers import Numbers

FILE = Path(__file__).parent / "talks.yaml"
MOST_CRIES = 6  # messages of somebody who waits for a human; after them he or she is silent
Talks = dict[str, dict[str, list[Any]]]


def load_talks() -> Talks:
    """Topic -> language -> conversations."""
    talks: Talks = yaml.safe_load(FILE.read_text("utf-8"))
    return talks


@dataclass(slots=True)
class Citizen:
    """One conversation. `at`: when what waits for an answer was sent; None = nothing waits."""

    chat: int
    topic: str
    language: str
    lines: list[str]
    began: float
    step: int = 0
    at: float | None = None
    tries: int = 0
    helped: bool = False  # a human has written
    gone: bool = False
    markup: str = ""
    sent: list[float] = field(default_factory=list)
    number: int = 0  # counts what was sent, so that an old impatience finds nothing

    @property
    def red(self) -> bool:
        return self.topic.startswith("red:")


@dataclass(frozen=True, slots=True)
class Deed:
    """What a citizen does at a moment: types `text`, or taps the button `data` under `text`."""

    at: float
    text: str
    data: str = ""


class Minds:
    """Makes citizens and decides for them."""

    def __init__(self, numbers: Numbers, seed: int) -> None:
        self._numbers, self._dice = numbers, Random(seed)
        self._talks = load_talks()

    def make(self, chat: int, topic: str, at: float) -> Citizen:
        """A citizen of this topic."""
        told = self._numbers["languages"]
        language = self._dice.choices(list(told), list(told.values()))[0]
        return Citizen(chat, topic, language, self._dice.choice(self._talks[topic][language]), at)

    def starts(self, who: Citizen) -> Deed:
        """The first message."""
        return Deed(who.began, who.lines[0])

    def hears(self, who: Citizen, leave: float, human: bool) -> Deed | None:
        """The bot's (or a human's) answer has arrived at `leave`: what comes next, None for nothing."""
        who.at, who.tries, who.step = None, 0, who.step + 1
        if human:
            who.helped = True
            return self._types(leave, self._dice.choice(self._talks["relay"][who.language]))
        if who.step < len(who.lines):
            if not who.red and self._dice.random() < float(self._numbers["leaves_share"]):
                who.gone = True
                return None
            return self._next(who, leave)
        if who.red:
            return self._cries(who, leave)
        who.gone = True
        return self._returns(who, leave)

    def loses_patience(self, who: Citizen, now: float) -> Deed | None:
        """No answer came: the same once more, or nothing. People in danger always try again."""
        again = who.red or self._dice.random() < float(self._numbers["retry_share"])
        if not again or who.tries >= 2:
            return None
        who.tries += 1
        return Deed(now, who.lines[min(who.step, len(who.lines) - 1)].strip("[]"))

    def patience(self) -> float:
        """Seconds until an answer is missed."""
        return self._dice.expovariate(1 / float(self._numbers["patience_seconds"]))

    def _next(self, who: Citizen, leave: float) -> Deed:
        line = who.lines[who.step]
        if not line.startswith("["):
            return self._types(leave, line)
        label = line.strip("[]")
        data = _data(who.markup, label)
        pause = self._pause("tap_seconds")
        return Deed(leave + pause, label, data or "")

    def _types(self, leave: float, text: str) -> Deed:
        return Deed(leave + self._pause("type_seconds"), text)

    def _cries(self, who: Citizen, leave: float) -> Deed | None:
        """Somebody in danger who waits for a human."""
        if who.helped or who.step >= len(who.lines) + MOST_CRIES:
            return None
        pause = self._dice.expovariate(1 / float(self._numbers["red_again_seconds"]))
        return Deed(leave + pause, self._dice.choice(self._talks["waiting"][who.language]))

    def _returns(self, who: Citizen, leave: float) -> Deed | None:
        """Some ask after their request some hours later."""
        if who.topic == "returns" or self._dice.random() >= float(self._numbers["returns_share"]):
            return None
        who.gone, who.topic, who.step = False, "returns", 0
        who.lines = self._dice.choice(self._talks["returns"][who.language])
        return Deed(leave + self._dice.uniform(3600, 4 * 3600), who.lines[0])

    def _pause(self, name: str) -> float:
        median = float(self._numbers[name])
        return median * math.exp(self._dice.gauss(0, float(self._numbers["pause_spread"])))


def _data(markup: str, label: str) -> str | None:
    """The token behind the button with this label."""
    if not markup:
        return None
    rows = orjson.loads(markup).get("inline_keyboard", [])
    return next((str(b["callback_data"]) for row in rows for b in row if b.get("text") == label), None)
