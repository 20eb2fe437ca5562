"""Two languages that say the same, and times and log lines as people say them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import console
from console.canned import canned
from console.labels import Labels
from console.shift import shifts
from console.told import tell
from console.words import LANGUAGES, Words, catalogue
from escalation.roster import Roster
from flows.load import load_library
from nlu.reading import INTENTS, RiskKind
from tests.console.town import ATHENS, PEOPLE, ROSTER
from tickets.states import AttemptState, PageState, TicketStatus

NOW = datetime.fromisoformat("2026-11-24T08:00:00+00:00")
GREEK, ENGLISH = Words("el", ATHENS, NOW), Words("en", ATHENS, NOW)


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    greek, english = catalogue("el"), catalogue("en")
    assert greek.keys() == english.keys()
    for key in greek:
        assert _blanks(greek[key]) == _blanks(english[key]), key
        assert greek[key].strip(), key
        assert "!" not in greek[key] + english[key], key


def test_every_word_that_a_page_may_show_is_in_the_catalogue() -> None:
    expected: dict[str, Iterable[str]] = {
        "topic": INTENTS,
        "risk_kind": RiskKind,
        "status": TicketStatus,
        "attempt": AttemptState,
        "page": PageState,
    }
    for family, words in expected.items():
        for word in words:
            assert f"{family}.{word}" in catalogue("en"), f"{family}.{word}"


def test_every_text_that_a_template_names_exists() -> None:
    pages = Path(console.__file__).parent / "pages"
    named = [
        key
        for page in pages.glob("*.html")
        for key in re.findall(r'\bt\("([a-z_.]+)"(?!\s*~)', page.read_text())
    ]
    assert len(named) > 80
    assert [key for key in named if key not in catalogue("en") and not key.endswith(".")] == []


@pytest.mark.parametrize(
    ("passed", "greek", "english"),
    [
        (timedelta(seconds=20), "μόλις τώρα", "just now"),
        (timedelta(seconds=50), "πριν 1 λεπτό", "1 min ago"),
        (timedelta(minutes=3), "πριν 3 λεπτά", "3 min ago"),
        (timedelta(minutes=61), "πριν 1 ώρα", "1 hour ago"),
        (timedelta(hours=5), "πριν 5 ώρες", "5 hours ago"),
        (timedelta(days=1), "πριν 1 μέρα", "1 day ago"),
        (timedelta(days=5), "πριν 5 μέρες", "5 days ago"),
        (timedelta(days=20), "Τετάρτη 4 Νοεμβρίου", "Wednesday 4 November"),
        (timedelta(days=400), "Δευτέρα 20 Οκτωβρίου 2025", "Monday 20 October 2025"),
        (timedelta(seconds=-30), "μόλις τώρα", "just now"),
    ],
)
def test_how_long_ago(passed: timedelta, greek: str, english: str) -> None:
    assert (GREEK.ago(NOW - passed), ENGLISH.ago(NOW - passed)) == (greek, english)


@pytest.mark.parametrize(
    ("line", "greek"),
    [
        ("paging eleni, nikos by voice+sms", "Χτυπάει: Ελένη, Νίκος, κλήση, SMS"),
        ("page acknowledged by nikos via link", "Ανέλαβε: Νίκος, σύνδεσμος"),
        ("closed helped", "Έκλεισε: Βοηθήθηκε"),
        ("closed somethingelse", "Έκλεισε: somethingelse"),
        ("risk red", "Ο κίνδυνος άλλαξε σε: κίνδυνος"),
        ("passed from eleni to nikos", "Πέρασε από: Ελένη σε: Νίκος"),
        ("a line of tomorrow", "a line of tomorrow"),
    ],
)
def test_lines_of_the_log(line: str, greek: str) -> None:
    assert tell(GREEK, lambda key: PEOPLE[key].name, line) == greek


def test_answers_are_told_in_the_words_of_the_questions() -> None:
    labels = Labels(load_library())
    found = labels.of("food_aid", {"today": "nothing", "people": 4, "note": ""}, "el")
    assert found == [("Φαγητό για σήμερα και αύριο", "Όχι, τίποτα"), ("Άτομα στο σπίτι", "4")]
    assert Labels().of("food_aid", {"strange_slot": True}, "en") == [("strange slot", "Yes")]


def test_ready_answers_exist_for_everybody() -> None:
    assert all(len(canned(language)) >= 5 for language in (*LANGUAGES, "ar"))
    assert canned("ar") == canned("en")


def test_who_is_on_call_now_and_next() -> None:
    found = shifts(ROSTER, NOW)  # ten in the morning
    assert [person.key for person in found.now] == ["eleni", "nikos"]
    assert [person.key for person in found.later] == ["nikos"]
    assert found.changes == datetime(2026, 11, 24, 20, 0, tzinfo=ATHENS)
    assert [person.key for person in found.supervisors] == ["dora"]


def test_a_roster_without_shifts_is_said_to_be_empty() -> None:
    found = shifts(Roster(PEOPLE, (), ATHENS), NOW)
    assert (found.now, found.changes, found.later) == ((), None, ())


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
