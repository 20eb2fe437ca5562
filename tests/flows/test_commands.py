"""What works from every node: a person, back, start again, stop, another language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows import words
from flows.events import AnswersAdded, Asked, FlowEnded, HumanRequested, LanguageChanged, Said, TicketOpened
from flows.session import StimulusKind
from tests.flows.small import Talk


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Άνθρωπο", "human"),
        ("ΑΝΘΡΩΠΟΣ", "human"),
        ("anthropo", "human"),
        ("thelo na miliso me anthropo", "human"),
        ("talk to a person!", "human"),
        ("человек", "human"),
        ("إنسان", "human"),
        ("πίσω", "back"),
        ("ΠΙΣΩ", "back"),
        ("piso", "back"),
        ("retour", "back"),
        ("από την αρχή", "menu"),
        ("apo tin arxi", "menu"),
        ("/start", "menu"),
        ("στοπ", "stop"),
        ("Stop.", "stop"),
        ("γλώσσα", "language"),
        ("τέλος", None),
        ("I want my money back", None),
        ("ο άνθρωπος δίπλα μου πεινάει", None),
        ("", None),
    ],
)
def test_command_words(text: str, command: str | None) -> None:
    assert words.command(text) == command


def test_person_opens_a_ticket_with_what_was_answered(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.tap("For me")
    talk.tap("human")
    (opened,) = talk.of(TicketOpened)
    assert (opened.topic, opened.answers) == ("food_aid", {"for_whom": "me"})
    assert talk.of(HumanRequested) == [HumanRequested("HRK-0001")]
    assert talk.keys() == ["common.human_queue_on"]
    talk.tap("resume")
    assert talk.keys() == ["food_aid.people"]


def test_finished_form_adds_to_the_ticket_that_asked_for_a_person(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.tap("human")
    talk.tap("resume")
    for answer in ("for me", "2", "6900000001"):
        talk.say(answer)
    talk.tap("Send it")
    assert talk.of(TicketOpened) == []
    assert talk.of(AnswersAdded)[0].answers["people"] == 2


def test_closed_office_is_said(talk: Talk) -> None:
    talk.world(office_open=False)
    talk.say("a person", "human", 0.9)
    assert talk.keys() == ["common.human_queue_off"]


def test_intent_human_counts_in_free_text_only_when_short(talk: Talk) -> None:
    talk.say("water", "water_tariff", 0.9)
    talk.say("the account is in the name of the human next door Maria", "human", 0.9)
    assert talk.of(HumanRequested) == []
    assert talk.session.answers["name"] == "the account is in the name of the human next door Maria"


def test_start_again_gives_up_the_form_and_keeps_the_case(talk: Talk) -> None:
    talk.say("a person", "human", 0.9)
    talk.say("food", "food_aid", 0.9)
    talk.say("start again")
    assert FlowEnded("food_aid", "abandoned") in talk.events
    assert talk.keys() == ["welcome.menu"]
    assert talk.session.case is not None


def test_stop(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.say("stop")
    assert FlowEnded("food_aid", "stopped") in talk.events
    assert talk.keys() == ["common.stopped"]
    assert talk.session.flow is None


def test_language_switch_repeats_the_question_in_it(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.say("ελληνικά")
    assert talk.of(LanguageChanged) == [LanguageChanged("el")]
    assert [event.text for event in talk.events if isinstance(event, Said | Asked)] == [
        "language_switched (el)",
        "Για ποιον είναι;",
    ]
    talk.say("this is a long english sentence", language="en")
    assert talk.session.language == "el"


def test_language_can_be_chosen_by_button(talk: Talk) -> None:
    talk.say("language")
    talk.tap("Ελληνικά")
    assert talk.session.language == "el"


def test_language_follows_the_first_words_and_later_only_sentences(talk: Talk) -> None:
    talk.say("Geia", language="el", script="greeklish")
    assert talk.session.language == "el"
    talk.say("ok", language="en")
    assert talk.session.language == "el"
    talk.say("hello I need some food", "food_aid", 0.9, language="en")
    assert talk.session.language == "en"


def test_unwritten_language_is_kept_and_spoken_in_english(talk: Talk) -> None:
    talk.say("мені потрібна їжа", "food_aid", 0.9, language="uk", script="cyrillic")
    assert talk.session.language == "uk"
    assert talk.of(Asked)[0].text == "Who is it for?"


def test_files_places_numbers_and_edits(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.do(StimulusKind.filed, file_kind="voice")
    assert talk.keys() == ["common.voice_received", "food_aid.for_whom"]
    talk.do(StimulusKind.filed, file_kind="photo")
    assert talk.keys() == ["common.file_received", "food_aid.for_whom"]
    talk.do(StimulusKind.edited, "fooood")
    assert talk.keys() == ["common.edited_noted"]
    talk.say("for me")
    talk.say("3")
    talk.do(StimulusKind.shared_phone, "+306900000001")
    assert talk.session.answers["phone"] == "+306900000001"


def test_a_yes_to_an_older_question_settles_nothing(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.say("my water bill", "water_tariff", 0.9)
    old = talk.of(Asked)[0].buttons[0].value
    talk.tap("no")
    talk.do(StimulusKind.tapped, button=old)
    assert talk.keys() == ["common.unknown_button", "food_aid.for_whom"]
    assert talk.session.flow == "food_aid"


def test_a_recognised_request_without_a_flow_is_owned_up_to(talk: Talk) -> None:
    talk.say("how do I volunteer", "volunteering", 0.9)
    assert talk.keys() == ["common.no_flow"]


def test_session_from_before_a_deploy_goes_to_the_menu_and_keeps_its_case(talk: Talk) -> None:
    talk.say("a person", "human", 0.9)
    talk.say("food", "food_aid", 0.9)
    talk.session = replace(talk.session, node="removed")
    talk.say("4")
    assert talk.keys() == ["common.lost", "welcome.menu"]
    assert talk.session.case is not None
