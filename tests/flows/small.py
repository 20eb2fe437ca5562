"""A small library for tests, and a citizen who talks to it.

Between every two stimuli the session goes through JSON, so persistence is tested along the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from flows import session_json
from flows.check_texts import BUTTONS, CRISIS, SPOKEN
from flows.engine import step
from flows.events import Asked, Event, Said
from flows.load import load_library
from flows.model import Library
from flows.session import CasePhase, Context, Fact, OpenTicket, Session, Stimulus, StimulusKind
from flows.walk import Heard

NOW = datetime(2026, 1, 11, 9, 0, tzinfo=UTC)

WELCOME = """
flow: welcome
topic: intent
starts_on: [greeting]
start: hello
start_again: menu
timeout: {after: 24h, to: quiet}
nodes:
  hello: {say: hello, then: menu}
  menu: {ask: menu, options: {food: food, water: water}}
  food: {enter: food_aid, then: quiet}
  water: {enter: water_tariff, then: quiet}
  quiet: {end: left}
"""
WELCOME_EN = """
name: the start
hello: I am a program.
menu: {text: "What do you need?", options: {food: {label: Food}, water: {label: Water bill}}}
"""
FOOD = """
flow: food_aid
topic: food_aid
starts_on: [food_aid]
start: intro
timeout: {after: 24h, to: gave_up}
nodes:
  intro: {say: intro, then: for_whom}
  for_whom: {ask: for_whom, slot: for_whom, options: {me: people, other: other_name}}
  other_name: {collect: other_name, slot: other_name, type: name, then: people}
  people: {collect: people, slot: people, type: count, min: 1, max: 20, then: phone}
  phone: {collect: phone, slot: phone, type: phone, optional: true, then: summary}
  summary: {ask: summary, options: {send: open, change: change}}
  change: {change: change, then: summary}
  open: {do: open_ticket, then: done}
  done: {say: done, then: finish}
  finish: {end: ticket}
  gave_up: {say: gave_up, then: gone}
  gone: {end: gave_up}
"""
FOOD_EN = """
name: food help
intro: A few questions.
for_whom:
  text: Who is it for?
  short: For
  options: {me: {label: For me, also: [myself, me]}, other: {label: Someone else, also: [another person]}}
other_name: {text: "What is their name?", short: Name}
people: {text: "How many people?", short: People, invalid: "Write a number, for example 4."}
phone: {text: "Which phone?", short: Phone}
summary:
  text: "{summary}\\nRight?"
  options: {send: {label: Send it, also: [yes]}, change: {label: Change something}}
change: Which answer?
done: "Sent, {ref}."
gave_up: Nothing was sent.
"""
FOOD_EL = """
name: τρόφιμα
intro: Λίγες ερωτήσεις.
for_whom:
  text: Για ποιον είναι;
  short: Για
  options: {me: {label: Για μένα, also: [εμένα]}, other: {label: Για άλλον}}
people: {text: Πόσα άτομα;, short: Άτομα, invalid: "Γράψτε έναν αριθμό."}
"""
WATER = """
flow: water_tariff
topic: water_tariff
starts_on: [water_tariff]
start: name
timeout: {after: 24h, to: gone}
nodes:
  name: {collect: name, slot: name, type: name, then: home}
  home: {ask: home, slot: home, options: {yes: rule, no: rule}}
  rule: {check: water_tariff, then: {likely: told, unlikely: told, unsure: told}}
  told: {say: told, then: open}
  open: {do: open_ticket, then: gone}
  gone: {end: ticket}
"""
WATER_EN = """
name: the water bill
name_q: unused
told: "Not sure: {because} (rule of {rule_date}). Ask at {fact:deyah.phone}."
because_unknown_registered: we do not know where you are registered.
home: {text: Is it your main home?, short: Main home, options: {yes: {label: "Yes"}, no: {label: "No"}}}
"""
CRISIS_FLOW = """
flow: crisis
topic: intent
start: kind
start_amber: direct
timeout: {after: 90s, to: still}
nodes:
  kind: {go: [{if: on_call, to: stay}, {to: nobody}]}
  stay: {ask: stay, slot: safe, options: {safe: waiting, unsafe: numbers}}
  nobody: {ask: nobody, slot: safe, options: {safe: waiting, unsafe: numbers}}
  numbers: {say: numbers, then: waiting}
  still: {say: still, then: waiting}
  waiting: {collect: waiting, slot: words, type: text, then: waiting}
  direct: {ask: direct, slot: direct, options: {yes: raise, no: resume}}
  raise: {do: raise_risk, risk: red, kind: suicide, then: kind}
  resume: {do: resume, then: over}
  over: {end: calm}
"""
CRISIS_EN = """
name: help now
stay: {text: "Someone is called. 112, 1018.", options: {safe: {label: I am safe}, unsafe: {label: Not safe}}}
nobody: {text: "Nobody is here. 112, 1018.", options: {safe: {label: I am safe}, unsafe: {label: Not safe}}}
numbers: "112"
still: Still calling.
waiting: I am here.
direct: {text: Do you think of ending your life?, options: {yes: {label: "Yes"}, no: {label: "No"}}}
exhausted_violence: Nobody answered. 15900.
"""


def _spoken(names: tuple[str, ...], language: str) -> str:
    own = {"switch_question": "{flow}?", "resume_question": "Go on with {flow}?", "closed": "{ref} closed"}
    return "\n".join(f'{name}: "{own.get(name, name)} ({language})"' for name in names)


FILES: Mapping[str, str] = {
    "welcome/flow.yaml": WELCOME,
    "welcome/en.yaml": WELCOME_EN,
    "food_aid/flow.yaml": FOOD,
    "food_aid/en.yaml": FOOD_EN,
    "food_aid/el.yaml": FOOD_EL,
    "water_tariff/flow.yaml": WATER.replace("collect: name", "collect: name_q"),
    "water_tariff/en.yaml": WATER_EN,
    "crisis/flow.yaml": CRISIS_FLOW,
    "crisis/en.yaml": CRISIS_EN + _spoken(CRISIS, "en"),
    "common/en.yaml": _spoken((*BUTTONS, *SPOKEN), "en"),
    "common/el.yaml": _spoken((*BUTTONS, *SPOKEN), "el"),
}


def write(root: Path, changes: Mapping[str, str] | None = None) -> Path:
    """The small library as files, with some of them replaced."""
    for name, text in {**FILES, **(changes or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def small(root: Path, changes: Mapping[str, str] | None = None) -> Library:
    """The small library, loaded."""
    return load_library(write(root, changes))


E = TypeVar("E", bound=Event)


class Talk:
    """One citizen. Every method is one stimulus and returns the events of its step."""

    def __init__(self, library: Library, language: str = "en", **context: Any) -> None:
        self.library = library
        self.session = Session(language=language)
        facts = {"deyah.phone": Fact("2810 529300", sure=True)}
        self.context = Context(NOW, "HRK-0001", facts, on_call=True, office_open=True)
        self.world(**context)
        self.events: tuple[Event, ...] = ()

    def world(self, **changes: Any) -> None:
        """Changes the context from here on."""
        self.context = replace(self.context, **changes)

    def do(self, kind: StimulusKind, text: str = "", **more: Any) -> tuple[Event, ...]:
        """Any stimulus."""
        result = step(self.library, self.session, Stimulus(kind, text, **more), self.context)
        self.session = session_json.loads(session_json.dumps(result.session))
        assert self.session == result.session
        self.events = result.events
        return self.events

    def say(
        self, text: str, intent: str = "other", confidence: float = 0.0, **reading: Any
    ) -> tuple[Event, ...]:
        """A text, with what was understood of it."""
        heard = Heard(
            **{"language": "en", "script": "latin", **reading}, intent=intent, confidence=confidence
        )
        return self.do(StimulusKind.said, text, understood=heard)

    def red(self, text: str = "I cannot go on", kind: str | None = "suicide") -> tuple[Event, ...]:
        """A message that sounds like danger."""
        return self.say(text, risk="red", risk_kind=kind)

    def tap(self, label: str) -> tuple[Event, ...]:
        """The button that says so in the last step."""
        shown = [b for event in self.events if isinstance(event, Asked | Said) for b in event.buttons]
        value = next(button.value for button in shown if button.label.removesuffix(" (en)") == label)
        return self.do(StimulusKind.tapped, button=value)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind in the last step."""
        return [event for event in self.events if isinstance(event, kind)]

    def phase(self) -> CasePhase | None:
        """How far the search for a human has come."""
        return self.session.case.phase if self.session.case else None

    def keys(self) -> list[str]:
        """The keys of what the bot said and asked in the last step."""
        return [event.key for event in self.events if isinstance(event, Said | Asked)]

    def ticket(self, ref: str = "HRK-0001", topic: str = "food_aid") -> OpenTicket:
        """An open ticket, for the context."""
        return OpenTicket(ref, topic, "open", NOW)
