"""What flows check finds, each in a library that is otherwise sound; and the real library has no errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.check import check
from flows.load import load_library
from flows.model import Library
from flows.session import Fact
from tests.flows.small import CRISIS_EN, CRISIS_FLOW, FILES, FOOD, FOOD_EL, FOOD_EN, small


def sentences(library: Library, **facts: Fact) -> list[str]:
    return [str(problem) for problem in check(library, facts or None)]


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "food_aid/flow.yaml",
            "  gone: {end: gave_up}",
            "  gone: {end: gave_up}\n  lonely: {say: intro, then: gone}",
            "food_aid/flow.yaml:20: error: nothing leads to node lonely",
        ),
        (
            "food_aid/flow.yaml",
            "  done: {say: done, then: finish}",
            "  done: {say: done, then: done}",
            "food_aid/flow.yaml:16: error: from node done the flow neither asks nor ends",
        ),
        (
            "food_aid/flow.yaml",
            "timeout: {after: 24h, to: gave_up}",
            "",
            "food_aid/flow.yaml:9: error: node for_whom waits for ever: give it or the flow a timeout",
        ),
        (
            "food_aid/en.yaml",
            "intro: A few questions.",
            'intro: "A few {answer:colour} questions {for} you."',
            "food_aid/en.yaml:3: error: the text intro names the answer colour, which nobody asks for",
        ),
        (
            "food_aid/en.yaml",
            "intro: A few questions.",
            'intro: "A few {for} you."',
            "food_aid/en.yaml:3: error: the text intro has the unknown placeholder for",
        ),
        (
            "food_aid/en.yaml",
            "intro: A few questions.",
            'intro: "At {fact:desk.place}."',
            "food_aid/en.yaml:3: error: a text with facts needs an unsure form",
        ),
        (
            "food_aid/en.yaml",
            "label: For me,",
            "label: For me and for my whole family,",
            "food_aid/en.yaml:4: warning: the label «For me and for my whole family» is longer than 20 "
            "characters",
        ),
        (
            "food_aid/en.yaml",
            "short: People, ",
            "",
            "food_aid/en.yaml:9: warning: the text people has no short: the summary needs a name for it",
        ),
        (
            "food_aid/en.yaml",
            "label: Someone else,",
            "label: For me,",
            "food_aid/en.yaml:4: error: the options me and other have the same label",
        ),
        (
            "food_aid/el.yaml",
            "intro: Λίγες ερωτήσεις.",
            "",
            "food_aid/el.yaml:1: error: the text intro is missing",
        ),
        (
            "crisis/en.yaml",
            "Someone is called. 112, 1018.",
            "Someone is called. 112.",
            "crisis/flow.yaml:2: error: the first text has no line that answers day and night "
            "(suicide, someone on call, en)",
        ),
        (
            "crisis/en.yaml",
            "Nobody is here. 112, 1018.",
            "Nobody is here. 1018.",
            "crisis/flow.yaml:2: error: the first text has neither 112 nor 166 (child, nobody on call, en)",
        ),
        (
            "crisis/flow.yaml",
            "timeout: {after: 90s, to: still}",
            "timeout: {after: 90s, to: over}",
            "crisis/flow.yaml:9: warning: silence at node stay ends the crisis flow without a word",
        ),
    ],
)  # fmt: skip
def test_finds(tmp_path: Path, file: str, old: str, new: str, problem: str) -> None:
    assert old in FILES[file]
    before = sentences(small(tmp_path / "sound"))
    after = sentences(small(tmp_path / "changed", {file: FILES[file].replace(old, new)}))
    assert problem in after
    assert problem not in before


def test_a_label_that_one_language_lacks(tmp_path: Path) -> None:
    changed = FOOD_EL.replace(", other: {label: Για άλλον}", "")
    found = sentences(small(tmp_path, {"food_aid/el.yaml": changed}))
    assert "food_aid/el.yaml:4: error: the text for_whom has no label for the option other" in found


def test_without_words_for_it_a_person_cannot_be_promised(tmp_path: Path) -> None:
    silent = FILES["common/en.yaml"].replace("human_queue_on:", "human_queue_gone:")
    greek = FILES["common/el.yaml"].replace("human_queue_on:", "human_queue_gone:")
    found = sentences(small(tmp_path, {"common/en.yaml": silent, "common/el.yaml": greek}))
    assert (
        "food_aid/flow.yaml:9: error: at node for_whom a citizen who asks for a person hears nothing" in found
    )


def test_facts_of_a_profile(tmp_path: Path) -> None:
    text = 'intro: {text: "At {fact:desk.place}.", unsure: "Ask {fact:desk.phone}."}'
    library = small(tmp_path, {"food_aid/en.yaml": FOOD_EN.replace("intro: A few questions.", text)})
    facts = {"deyah.phone": Fact("2810", True), "desk.phone": Fact("2810", False, dialable=False)}
    found = [str(problem) for problem in check(library, facts)]
    assert "food_aid/en.yaml:3: error: the profile has no fact desk.place" in found
    assert (
        "food_aid/en.yaml:3: error: the unsure form names desk.phone, which may not be said for sure" in found
    )
    sure = facts | {"desk.place": Fact("Harbour", True), "desk.phone": Fact("2810", False, dialable=True)}
    assert not [
        problem for problem in check(library, sure) if problem.line == 3 and "desk" in problem.sentence
    ]


def test_a_library_without_crisis_flow(tmp_path: Path) -> None:
    root = tmp_path / "only"
    for name in ("flow", "en"):
        file = root / "food_aid" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text({"flow": FOOD, "en": FOOD_EN}[name], encoding="utf-8")
    assert "crisis/flow.yaml:1: error: there is no crisis flow" in sentences(load_library(root))


def test_a_red_message_that_pages_is_proved_by_stepping(tmp_path: Path) -> None:
    library = small(tmp_path, {"crisis/flow.yaml": CRISIS_FLOW, "crisis/en.yaml": CRISIS_EN})
    assert not [line for line in sentences(library) if "does not page" in line]


def test_the_real_library_has_no_errors() -> None:
    errors = [str(problem) for problem in check(load_library()) if problem.level == "error"]
    assert errors == []
