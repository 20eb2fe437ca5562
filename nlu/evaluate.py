"""Measures understanding on phrases that the model has not seen.

Five times a model is trained without one fifth of the phrase families and read them in every
spelling, through the whole engine. `limani nlu evaluate` prints the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nlu import corpus
from nlu.corpus import Example
from nlu.engine import EmbeddedReader
from nlu.reading import INTENTS, Risk
from nlu.train import FOLDS, fit_intents, part_of, rows_of, train_lexicon
from nlu.variants import SPELLINGS, spell

_OTHER_SPELLINGS = ("greeklish_english", "run_together")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the engine made of one spelling of one unseen phrase."""

    language: str
    spelling: str
    intent: str
    guessed: str
    guessed_language: str
    risk: Risk


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy and macro F1 (over the intents that occur) of a group of guesses."""

    phrases: int
    accuracy: float
    macro_f1: float


def evaluate(folds: Iterable[int] = range(FOLDS)) -> list[Guess]:
    """Every phrase of the asked parts in every spelling, read by a model that has not seen its family."""
    examples = corpus.read()
    shipped = EmbeddedReader.load()
    return [guess for part in folds for guess in _one_part(examples, shipped, part)]


def _one_part(examples: Sequence[Example], shipped: EmbeddedReader, part: int) -> Iterator[Guess]:
    """Trains without one part and reads it. Language model and patterns are the shipped ones."""
    seen = [example for example in examples if part_of(example.family) != part]
    lexicon = train_lexicon(seen)
    intents = fit_intents([row for example in seen for row in rows_of(example, lexicon)])
    reader = replace(
        shipped, lexicon=lexicon, intents=replace(intents, temperature=shipped.intents.temperature)
    )
    for example in examples:
        if part_of(example.family) == part:
            yield from _read_all(reader, example)


def _read_all(reader: EmbeddedReader, example: Example) -> Iterator[Guess]:
    spellings = (*SPELLINGS, *_OTHER_SPELLINGS) if example.language == "el" else ("accented",)
    for spelling in spellings:
        text = spell(example.text, spelling) if example.language == "el" else example.text
        reading = reader.read(text)
        yield Guess(
            example.language, spelling, example.intent, reading.intent, reading.language, reading.risk
        )


# ------------------------------------------------------------------ figures


def score(guesses: Sequence[Guess]) -> Score:
    """Accuracy and macro F1 of a group."""
    per_intent = [intent_f1(guesses, intent) for intent in INTENTS]
    present = [value for value in per_intent if value is not None]
    right = sum(guess.intent == guess.guessed for guess in guesses)
    return Score(len(guesses), right / max(len(guesses), 1), sum(present) / max(len(present), 1))


def intent_f1(guesses: Iterable[Guess], intent: str) -> float | None:
    """F1 of one intent; None when it does not occur."""
    count = Counter((guess.intent == intent, guess.guessed == intent) for guess in guesses)
    hits, missed, wrong = count[True, True], count[True, False], count[False, True]
    return None if hits + missed == 0 else 2 * hits / (2 * hits + missed + wrong)


def as_json(guesses: Sequence[Guess]) -> dict[str, object]:
    """The figures for programs: by language, by spelling of Greek, by intent, and the worst confusions."""
    greek = [guess for guess in guesses if guess.language == "el"]
    return {
        "phrases": len(guesses),
        "languages": _by(guesses, lambda guess: guess.language, ("accented",)),
        "spellings": _by(greek, lambda guess: guess.spelling, None),
        "intents": {
            intent: {
                language: intent_f1(
                    [g for g in guesses if g.language == language and g.spelling == "accented"], intent
                )
                for language in sorted({guess.language for guess in guesses})
            }
            for intent in INTENTS
        },
        "language_found": _language_shares(guesses),
        "confusions": [
            {"intent": intent, "guessed": guessed, "times": times}
            for (intent, guessed), times in Counter(
                (guess.intent, guess.guessed) for guess in guesses if guess.intent != guess.guessed
            ).most_common(25)
        ],
    }


def _by(
    guesses: Sequence[Guess], key: Callable[[Guess], str], spellings: Sequence[str] | None
) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Guess]] = {}
    for guess in guesses:
        if spellings is None or guess.spelling in spellings:
            groups.setdefault(key(guess), []).append(guess)
    scores = {name: score(group) for name, group in groups.items()}
    return {
        name: {"phrases": one.phrases, "accuracy": round(one.accuracy, 4), "macro_f1": round(one.macro_f1, 4)}
        for name, one in scores.items()
    }


def _language_shares(guesses: Sequence[Guess]) -> dict[str, float]:
    """Share of texts whose language was recognised, by language and spelling."""
    total = Counter((guess.language, guess.spelling) for guess in guesses)
    right = Counter((g.language, g.spelling) for g in guesses if g.language == g.guessed_language)
    return {
        f"{language} {spelling}": round(right[language, spelling] / n, 4)
        for (language, spelling), n in total.items()
    }


def report(guesses: Sequence[Guess] | None = None) -> str:
    """The tables as text. Without guesses it evaluates first, which takes minutes."""
    figures = as_json(evaluate() if guesses is None else guesses)
    lines = ["Unseen phrases, split by family, five parts", ""]
    for title, part in (("language (as typed)", "languages"), ("Greek, by spelling", "spellings")):
        lines += [f"{title:24} phrases  accuracy  macro F1"]
        lines += [
            f"{name:24} {row['phrases']:7d}  {row['accuracy']:8.3f}  {row['macro_f1']:8.3f}"
            for name, row in figures[part].items()  # type: ignore[attr-defined]
        ]
        lines.append("")
    lines += _intent_table(figures["intents"])  # type: ignore[arg-type]
    lines += ["", "most frequent confusions"]
    lines += [
        f"{row['times']:5d}  {row['intent']} read as {row['guessed']}"
        for row in figures["confusions"]  # type: ignore[attr-defined]
    ]
    return "\n".join(lines)


def _intent_table(intents: dict[str, dict[str, float | None]]) -> list[str]:
    languages = list(next(iter(intents.values())))
    lines = [f"{'F1 by intent':24} " + "  ".join(f"{language:>5}" for language in languages)]
    for intent, row in intents.items():
        cells = ("  -  " if value is None else f"{value:5.3f}" for value in row.values())
        lines.append(f"{intent:24} " + "  ".join(cells))
    return lines
