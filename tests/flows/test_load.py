"""Mistakes in a library: all of them at once, each with its file and line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flows.load import FlowError, load_library
from tests.flows.small import FOOD, FOOD_EN, small, write


def errors(root: Path, changes: dict[str, str]) -> tuple[str, ...]:
    write(root, changes)
    with pytest.raises(FlowError) as caught:
        load_library(root)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return caught.value.errors


def food(old: str, new: str) -> dict[str, str]:
    assert old in FOOD
    return {"food_aid/flow.yaml": FOOD.replace(old, new)}


def test_what_a_library_knows(tmp_path: Path) -> None:
    library = small(tmp_path)
    assert library.languages == ("el", "en")
    assert library.intents["food_aid"] == "food_aid"
    assert library.text("food_aid.intro", "el") == "Λίγες ερωτήσεις."
    assert library.text("food_aid.other_name", "el") == "What is their name?"
    assert library.text("food_aid.intro", "uk") == "A few questions."
    assert library.text("food_aid.nothing", "el") == ""


def test_the_word_yes_stays_a_word(tmp_path: Path) -> None:
    library = small(tmp_path)
    assert library.label("water_tariff.home", "yes", "en") == "Yes"


def test_broken_yaml(tmp_path: Path) -> None:
    (error,) = errors(tmp_path, {"food_aid/en.yaml": "name: food\nintro: [open\nthen: x\n"})
    assert error.startswith("food_aid/en.yaml:3: this is not YAML:")


def test_not_utf8_and_empty(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "food_aid/el.yaml").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "water_tariff/el.yaml").write_text("")
    with pytest.raises(FlowError) as caught:
        load_library(tmp_path)
    assert caught.value.errors == (
        "food_aid/el.yaml:1: the file cannot be read as UTF-8 text",
        "water_tariff/el.yaml:1: the file is empty",
    )


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {tell: intro, then: for_whom}",
            "food_aid/flow.yaml:8: node intro needs exactly one verb of say, ask, collect, change, go, do, "
            "check, enter, end (tell is no verb)",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {say: intro, then: nowhere}",
            "food_aid/flow.yaml:8: node intro leads to nowhere, which is no node of this flow",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {say: intro}",
            "food_aid/flow.yaml:8: node intro: say needs then",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {say: introduction, then: for_whom}",
            "food_aid/flow.yaml:8: node intro uses the text introduction, which no language has",
        ),
        (
            "type: count",
            "type: counts",
            "food_aid/flow.yaml:11: counts is no slot type; there are text, name, count, money, phone, "
            "place, age_band, date, time, district, supply_number",
        ),
        ("min: 1", "min: one", "food_aid/flow.yaml:11: min must be a number"),
        ("optional: true", "optional: maybe", "food_aid/flow.yaml:12: optional must be true or false"),
        (
            "{after: 24h, to: gave_up}",
            "{after: soon, to: gave_up}",
            "food_aid/flow.yaml:6: soon is no length of time; write for example 30m, 24h or 2d",
        ),
        (
            "do: open_ticket",
            "do: open_door",
            "food_aid/flow.yaml:15: open_door is no action; there are open_ticket, request_human, page, "
            "raise_risk, add_answers, resume",
        ),
        (
            "other: other_name",
            "other: other_name, third: people",
            "food_aid/flow.yaml:9: node for_whom has the option third, which has a label in no language",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {go: [{if: rich, to: for_whom}, {to: people}]}",
            "food_aid/flow.yaml:8: node intro asks for rich, which is no predicate",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {go: [{if: on_call, to: for_whom}]}",
            "food_aid/flow.yaml:8: the last route of go must have no if, so that there is always a way "
            "on",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {enter: elsewhere, then: for_whom}",
            "food_aid/flow.yaml:8: node intro enters elsewhere, which is no flow",
        ),
        (
            "intro: {say: intro, then: for_whom}",
            "intro: {check: luck, then: {likely: people, unlikely: people, unsure: people}}",
            "food_aid/flow.yaml:8: node intro uses the rule luck, which does not exist",
        ),
        (
            "start: intro",
            "start: begin",
            "food_aid/flow.yaml:2: start names begin, which is no node of this flow",
        ),
        ("topic: food_aid", "theme: food_aid", "food_aid/flow.yaml:3: a flow has no key theme"),
        (
            "flow: food_aid",
            "flow: food",
            "food_aid/flow.yaml:2: flow must be the name of its folder, food_aid",
        ),
        (
            "starts_on: [food_aid]",
            "starts_on: [water_tariff]",
            "water_tariff/flow.yaml:2: the intent water_tariff already starts food_aid",
        ),
        ("slot: people,", "slot: people, sort: x,", "food_aid/flow.yaml:11: collect has no key sort"),
        ("  gone: {end", "  done: {end", "food_aid/flow.yaml:19: nodes has done twice"),
    ],
)  # fmt: skip
def test_mistakes_in_a_flow(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert error in errors(tmp_path, food(old, new))


def test_mistakes_in_texts(tmp_path: Path) -> None:
    text = FOOD_EN.replace("short: For", "shorter: For").replace("label: Someone else", "lable: Someone else")
    assert errors(tmp_path, {"food_aid/en.yaml": text}) == (
        "food_aid/en.yaml:6: a message has no key shorter",
        "food_aid/en.yaml:7: an option has no key lable",
        "food_aid/en.yaml:7: option other needs a label",
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    changes = food("min: 1", "min: one") | {"common/english.yaml": "a: b"}
    assert errors(tmp_path, changes) == (
        "common/english.yaml:1: a file here is flow.yaml or named by a language of two letters",
        "food_aid/flow.yaml:11: min must be a number",
    )


def test_a_place_without_flows(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="there is no flow here"):
        load_library(tmp_path / "nothing")


def test_the_real_library_loads_fast() -> None:
    load_library()
    start = time.process_time()
    library = load_library()
    assert time.process_time() - start < 0.15
    assert {"welcome", "crisis"} <= set(library.flows)
