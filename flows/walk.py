"""A seeded citizen who does anything at all: for tests and for `limani flows check`.

Walks a library with random words, taps, files, corrections, time-outs and responders, and writes the
session to JSON and back between every two steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from flows import session_json
from flows.engine import step
from flows.events import Asked, Said
from flows.model import Library
from flows.session import Context, Fact, Session, Step, Stimulus, StimulusKind

WORDS = (
    "ναι", "όχι", "1", "2", "4", "τέσσερα", "650 ευρώ", "6900000000", "Πόρος, κοντά στο σχολείο", "Μαρία",
    "πίσω", "άνθρωπο", "στοπ", "από την αρχή", "english", "ελληνικά", "συνέχεια", "παράλειψη", "γλώσσα", "0",
    "den katalavaino", "", "   ", "؟", "😀", "{ref}", "αύριο", "17:30", "12345678", "x" * 5000, "/start",
)  # fmt: skip
BUTTONS = (
    "@human", "@back", "@menu", "@stop", "@lang:en", "@lang:el", "@skip", "@yes", "@no", "@resume", "gone=x",
)  # fmt: skip
HUMAN_SIDE = (
    StimulusKind.page_acknowledged, StimulusKind.page_exhausted, StimulusKind.contact_missed,
    StimulusKind.human_said, StimulusKind.handoff_ended, StimulusKind.ticket_closed,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """A reading for walks: what understanding might say, or get wrong."""

    language: str = "el"
    script: str = "greek"
    intent: str = "other"
    confidence: float = 0.0
    risk: str = "none"
    risk_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Walked:
    """One step of a walk, with what led to it."""

    before: Session
    stimulus: Stimulus
    context: Context
    result: Step


def walk(library: Library, seed: int, steps: int, now: datetime, language: str = "el") -> Iterator[Walked]:
    """So many steps of one citizen. Raises only if the engine does, which would be a bug."""
    random = Random(seed)  # noqa: S311  chance is a seed here, not a secret
    session = Session(language=language, language_chosen=random.random() < 0.5)
    last: Step | None = None
    for number in range(steps):
        now += timedelta(minutes=random.randrange(30))
        context = _context(random, number, now)
        stimulus = _stimulus(random, library, session, last)
        last = step(library, session, stimulus, context)
        yield Walked(session, stimulus, context, last)
        session = session_json.loads(session_json.dumps(last.session))


def _context(random: Random, number: int, now: datetime) -> Context:
    return Context(
        now=now,
        ref=f"HRK-{number:04}",
        facts={"directorate.phone": Fact("2810 000000", sure=False, dialable=True)},
        on_call=random.random() < 0.7,
        office_open=random.random() < 0.5,
    )


def _stimulus(random: Random, library: Library, session: Session, last: Step | None) -> Stimulus:
    roll = random.random()
    if roll < 0.45:
        return Stimulus(StimulusKind.tapped, button=_button(random, last))
    if roll < 0.75:
        return Stimulus(StimulusKind.said, random.choice(WORDS), _reading(random, library))
    if roll < 0.80:
        return Stimulus(StimulusKind.timed_out, token=session.wait if random.random() < 0.8 else "old")
    if roll < 0.90:
        return _other(random, library)
    ref = session.case.ref if session.case and random.random() < 0.8 else "HRK-XXXX"
    return Stimulus(random.choice(HUMAN_SIDE), "Καλησπέρα", by="eleni", ref=ref)


def _button(random: Random, last: Step | None) -> str:
    shown = [b.value for e in (last.events if last else ()) if isinstance(e, Asked | Said) for b in e.buttons]
    return random.choice(shown) if shown and random.random() < 0.9 else random.choice(BUTTONS)


def _reading(random: Random, library: Library) -> Heard | None:
    if random.random() < 0.1:
        return None
    intent = random.choice((*library.intents, "human", "greeting", "thanks", "yes", "no", "other", "housing"))
    risk = random.choices(("none", "amber", "red"), (20, 1, 1))[0]
    kinds = ("suicide", "self_harm", "violence", "child", "threat", "medical", None)
    kind = random.choice(kinds) if risk != "none" else None
    language, script = random.choice(
        (("el", "greek"), ("en", "latin"), ("el", "greeklish"), ("uk", "cyrillic"))
    )
    return Heard(language, script, intent, random.random(), risk, kind)


def _other(random: Random, library: Library) -> Stimulus:
    reading = _reading(random, library)
    return random.choice(
        (
            Stimulus(StimulusKind.located, place=(35.34, 25.14)),
            Stimulus(StimulusKind.filed, file_kind="voice"),
            Stimulus(StimulusKind.filed, "χαρτί", reading, file_kind="photo"),
            Stimulus(StimulusKind.shared_phone, "+306900000000"),
            Stimulus(StimulusKind.opened),
            Stimulus(StimulusKind.edited, random.choice(WORDS), reading),
        )
    )
