"""Training data and training: complete, deterministic, split by family."""

from __future__ import annotations

from collections import Counter

import numpy as np

from nlu import corpus
from nlu.evaluate import Guess, as_json, intent_f1, report, score
from nlu.lexicon import Lexicon
from nlu.reading import INTENTS, Risk
from nlu.train import CARRIERS, fit_intents, part_of, rows_of, train_lexicon

EXAMPLES = corpus.read()


def test_every_intent_has_phrases() -> None:
    count = Counter((example.language, example.intent) for example in EXAMPLES)
    for intent in INTENTS:
        assert count["el", intent] >= 50, intent
        assert count["en", intent] >= 30, intent
    assert {example.intent for example in EXAMPLES} == set(INTENTS)


def test_no_phrase_is_typed_twice_under_two_intents() -> None:
    meanings: dict[str, set[str]] = {}
    for example in EXAMPLES:
        meanings.setdefault(example.text.casefold(), set()).add(example.intent)
    assert [text for text, intents in meanings.items() if len(intents) > 1] == []


def test_twins_share_a_family_and_a_part() -> None:
    families = {example.text: example.family for example in EXAMPLES}
    assert families["Θέλω να μιλήσω με κάποιον"] != families["Ναι"]
    parts = Counter(part_of(example.family) for example in EXAMPLES)
    assert set(parts) == set(range(5))
    assert min(parts.values()) > 0.1 * len(EXAMPLES)


def test_training_is_deterministic() -> None:
    some = [example for example in EXAMPLES if example.intent in ("food_aid", "housing", "yes")]
    lexicon = Lexicon({"QELO": 5.0}, frozenset({"QELO"}))
    first, second = (fit_intents([row for one in some for row in rows_of(one, lexicon)]) for _ in range(2))
    assert list(first.vocabulary) == list(second.vocabulary)
    assert np.array_equal(first.weights, second.weights)


def test_the_lexicon_knows_greek_and_our_own_words() -> None:
    lexicon = train_lexicon(EXAMPLES)
    assert {"QELO", "NA", "KE", "PADOPOLIO"} <= set(lexicon.known)
    assert "AFTOKTONISO" in lexicon.domain
    assert lexicon.repair(["δεναντεχωαλλο"]) == ["DEN", "ADEHO", "ALO"]
    assert lexicon.repair(["παντοπλειο"]) == ["PADOPOLIO"]
    assert lexicon.repair(["xalia"]) == ["HALIA"], "an ordinary word is not bent into an alarming one"


def test_carriers_are_neutral() -> None:
    assert all(carrier.count("{}") == 1 for carriers in CARRIERS.values() for carrier in carriers)


def test_figures() -> None:
    guesses = [
        Guess("el", "accented", "yes", "yes", "el", Risk.none),
        Guess("el", "accented", "yes", "no", "el", Risk.none),
        Guess("el", "greeklish", "no", "no", "sq", Risk.none),
    ]
    assert score(guesses).accuracy == 2 / 3
    assert intent_f1(guesses, "yes") == 2 / 3
    assert intent_f1(guesses, "thanks") is None
    assert as_json(guesses)["phrases"] == 3
    assert "yes read as no" in report(guesses)
