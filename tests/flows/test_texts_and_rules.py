"""Rendering with facts, predicates, eligibility, JSON, diagrams."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flows import session_json
from flows.draw import mermaid
from flows.eligibility import RULES, guaranteed_income, judge, power_limit
from flows.events import Said
from flows.model import Library
from flows.render import View, render_text
from flows.rules import PREDICATES, Situation, holds, is_predicate
from flows.session import Case, CasePhase, Context, Fact, Parked, Session
from tests.flows.small import NOW, Talk, small

CONTEXT = Context(NOW, "HRK-0001", {}, on_call=True, office_open=False)


def test_unsure_fact_is_never_stated(tmp_path_factory: pytest.TempPathFactory) -> None:
    food = 'where: {text: "It is at {fact:grocery.address}.", unsure: "Ask at {fact:desk.phone}."}\n'
    library = small(
        tmp_path_factory.mktemp("facts"),
        {
            "place/flow.yaml": "flow: place\nstarts_on: [place_hours]\nstart: where\nnodes:\n"
            "  where: {say: where, then: end}\n  end: {end: told}\n",
            "place/en.yaml": "name: places\n" + food,
        },
    )
    talk = Talk(library)
    for facts, text in (
        ({"grocery.address": Fact("Harbour 1", True)}, "It is at Harbour 1."),
        (
            {"grocery.address": Fact("Harbour 1", False), "desk.phone": Fact("2810", False, True)},
            "Ask at 2810.",
        ),
        ({"desk.phone": Fact("2810", False, False)}, "Ask at fact_missing (en)."),
        ({}, "Ask at fact_missing (en)."),
    ):
        talk.world(facts=facts)
        talk.say("where", "place_hours", 0.9)
        assert talk.of(Said)[-1].text == text


def test_a_person_in_danger_reads_numbers_even_without_a_profile(library: Library) -> None:
    text = render_text(
        View(library, Session(), CONTEXT),
        "{fact:hotline.emergency} {fact:hotline.suicide} {fact:hotline.support}",
    )
    assert text == "112 1018 10306"


def test_facts_follow_the_language(library: Library) -> None:
    context = replace(CONTEXT, facts={"x": Fact("ώρες", True, other={"en": "hours"})})
    assert render_text(View(library, Session(language="en"), context), "{fact:x}") == "hours"
    assert render_text(View(library, Session(language="el"), context), "{fact:x}") == "ώρες"


def test_braces_in_a_citizen_s_words_stay_words(library: Library) -> None:
    session = Session(language="en", flow="water_tariff", node="home", answers={"name": "{ref} {fact:x}"})
    assert render_text(View(library, session, CONTEXT), "{answer:name}!") == "{ref} {fact:x}!"


def test_unknown_placeholder_disappears(library: Library) -> None:
    assert render_text(View(library, Session(), CONTEXT), "a {nothing}b") == "a b"


def test_tickets_are_listed(library: Library) -> None:
    talk = Talk(library)
    context = replace(CONTEXT, tickets=(talk.ticket(),))
    text = render_text(View(library, Session(language="en"), context), "{tickets}")
    assert text == "HRK-0001: food help, 11/1, status_open (en)"
    assert render_text(View(library, Session(language="en"), CONTEXT), "{tickets}") == "no_tickets (en)"


def test_progress_only_where_it_is_true(tmp_path_factory: pytest.TempPathFactory) -> None:
    library = small(
        tmp_path_factory.mktemp("progress"), {"common/en.yaml": 'progress: "{n} of {total}"\nhuman: Human\n'}
    )
    straight = Session(language="en", flow="food_aid", node="people", trail=("for_whom",))
    assert render_text(View(library, straight, CONTEXT), "{progress}") == "2 of 3"
    fork = Session(language="en", flow="food_aid", node="for_whom")
    assert render_text(View(library, fork, CONTEXT), "{progress}") == ""


def test_predicates(library: Library) -> None:
    case = Case("HRK-0001", "violence", "red", "violence", CasePhase.exhausted)
    session = Session(case=case, answers={"for_whom": "other", "phone": None}, topic="extreme_weather")
    true = {name for name in PREDICATES if holds(name, Situation(session, replace(CONTEXT, weather="cold")))}
    assert true == {
        "on_call", "weather_on", "weather_cold", "has_case", "is_red", "is_exhausted", "kind_violence",
        "for_other", "speaks_greek", "started_by_weather",
    }  # fmt: skip
    flow = library.flows["food_aid"]
    situation = Situation(session, CONTEXT)
    assert holds("for_whom_is_other", situation)
    assert not holds("phone_given", situation)
    assert is_predicate("for_whom_is_other", flow)
    assert is_predicate("people_given", flow)
    assert not is_predicate("for_whom_is_third", flow)
    assert not is_predicate("nonsense", flow)


@pytest.mark.parametrize(
    ("answers", "monthly"),
    [
        ({"adults": 1, "minors": 0}, 216),
        ({"adults": 2, "minors": 0}, 324),
        ({"adults": 2, "minors": 2}, 432),
        ({"adults": 1, "minors": 1}, 324),
        ({"adults": 1, "minors": 2}, 378),
        ({"people": 4, "children": 2}, 432),
        ({"adults": 8, "minors": 8}, 972),
        ({"adults": 1}, None),
    ],
)
def test_guaranteed_income(answers: dict[str, int], monthly: int | None) -> None:
    assert guaranteed_income(answers) == monthly


def test_power_limit_is_given_only_where_sources_agree() -> None:
    assert power_limit({"adults": 1, "minors": 0}) == 9000
    assert power_limit({"adults": 2, "minors": 2}) == 18000
    assert power_limit({"adults": 3, "minors": 2}) is None


def test_verdicts_explain_themselves() -> None:
    rule = RULES["guaranteed_income"]
    home = {"adults": 1, "minors": 0}
    assert judge(rule, {**home, "income_six_months": 1296}).outcome == "likely"
    assert judge(rule, {**home, "income_six_months": 1297}).because == ("not_six_months",)
    assert judge(rule, home).because == ("unknown_six_months",)


def test_a_rule_without_published_limits_is_never_sure() -> None:
    rule = RULES["water_tariff"]
    best = {"registered": "yes", "meter_name": "me", "income": "none"}
    assert judge(rule, best).outcome == "unsure"
    assert judge(rule, {**best, "registered": "no"}).outcome == "unsure"


FULL = Session(
    language="uk", language_chosen=True, greeted=True, flow="food_aid", node="people",
    answers={"a": 1, "b": "δύο", "c": None, "d": 1.5, "e": True}, trail=("for_whom",),
    parked=(Parked("water_tariff", "name", {"x": "y"}, ("z",), "t", "HRK-1", "f.n", True),),
    case=Case("HRK-1", "violence", "red", None, CasePhase.ringing), proposed="x", returning="f.n", misses=2,
    wait="w", topic="t", ref="HRK-1", steps=7,
)  # fmt: skip


def test_session_survives_json() -> None:
    assert session_json.loads(session_json.dumps(FULL)) == FULL
    assert session_json.loads("{}") == Session()


def test_unknown_keys_of_a_newer_release_are_ignored() -> None:
    data = json.loads(session_json.dumps(FULL)) | {"mood": "new"}
    assert session_json.loads(json.dumps(data)) == FULL


@pytest.mark.parametrize(
    "text",
    ["", "[]", "nonsense", '{"flow": 3}', '{"misses": "2"}', '{"trail": "x"}', '{"trail": [1]}',
     '{"answers": {"a": []}}', '{"case": {"ref": "x"}}', '{"greeted": 1}', '{"parked": [1]}',
     '{"case": {"ref": "x", "topic": "x", "risk": "red", "phase": "lost"}}'],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        session_json.loads(text)


def test_diagram(library: Library) -> None:
    lines = mermaid(library.flows["water_tariff"]).splitlines()
    assert lines[0] == "flowchart TD"
    assert '    n_name[/"name: name"/]' in lines
    assert '    n_home -->|"yes"| n_rule' in lines
    assert '    n_name -.->|"no answer"| n_gone' in lines
    assert "    begin(( )) --> n_name" in lines
    amber = mermaid(library.flows["crisis"])
    assert '    amber(("amber")) --> n_direct' in amber.splitlines()
