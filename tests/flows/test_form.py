"""A form from the first question to the ticket, with the ways a citizen leaves the straight road."""

from __future__ import annotations

from datetime import timedelta

from flows.events import (
    Asked,
    EntryAdded,
    FlowEnded,
    FlowStarted,
    Said,
    TicketOpened,
    WaitCancelled,
    WaitSet,
)
from flows.session import StimulusKind
from tests.flows.small import NOW, Talk


def start_food(talk: Talk) -> None:
    talk.say("I need food", "food_aid", 0.9)


def fill(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("four")
    talk.say("6900000001")


def test_first_request_is_introduced_by_who_speaks(talk: Talk) -> None:
    start_food(talk)
    assert talk.keys() == ["common.hello", "food_aid.intro", "food_aid.for_whom"]
    assert talk.of(FlowStarted) == [FlowStarted("food_aid")]


def test_every_question_has_a_button_for_a_person(talk: Talk) -> None:
    start_food(talk)
    (asked,) = talk.of(Asked)
    assert [button.value for button in asked.buttons] == ["for_whom=me", "for_whom=other", "@human"]


def test_answers_become_a_ticket(talk: Talk) -> None:
    fill(talk)
    (asked,) = talk.of(Asked)
    assert asked.text == "For: For me\nPeople: 4\nPhone: +306900000001\nRight?"
    talk.tap("Send it")
    (opened,) = talk.of(TicketOpened)
    assert opened.topic == "food_aid"
    assert opened.risk == "none"
    assert opened.answers == {"for_whom": "me", "people": 4, "phone": "+306900000001"}
    assert talk.of(EntryAdded) == [EntryAdded("HRK-0001", "citizen", "tapped", "Send it")]
    assert [said.text for said in talk.of(Said)] == ["Sent, HRK-0001."]
    assert talk.of(FlowEnded) == [FlowEnded("food_aid", "ticket")]
    assert talk.session.flow is None
    assert talk.session.case is not None


def test_words_after_the_ticket_are_its_entries(talk: Talk) -> None:
    fill(talk)
    talk.tap("Send it")
    talk.say("I forgot: my son is allergic")
    assert talk.of(EntryAdded)[0].text == "I forgot: my son is allergic"
    assert talk.keys() == ["common.noted"]


def test_options_answer_to_number_label_and_synonym(talk: Talk) -> None:
    for words in ("1", "FOR ME", "for me please", "myself"):
        fresh = Talk(talk.library)
        start_food(fresh)
        fresh.say(words)
        assert fresh.session.answers == {"for_whom": "me"}, words


def test_greek_labels_are_understood_without_accents_and_in_greeklish(talk: Talk) -> None:
    for words in ("Για μένα", "ΓΙΑ ΜΕΝΑ", "για μενα", "gia mena", "εμενα", "emena"):
        fresh = Talk(talk.library, "el")
        fresh.say("θέλω τρόφιμα", "food_aid", 0.9, language="el", script="greek")
        fresh.say(words, language="el", script="greek")
        assert fresh.session.answers == {"for_whom": "me"}, words


def test_invalid_answer_gets_a_kind_text_and_the_third_one_a_person(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("many")
    assert talk.keys() == ["food_aid.people.invalid"]
    assert talk.of(Asked)[0].text == "Write a number, for example 4."
    talk.say("lots")
    talk.say("really lots")
    assert talk.keys() == ["common.misses_offer_human", "food_aid.people.invalid"]
    talk.say("4")
    assert talk.session.misses == 0


def test_number_outside_the_limits_is_no_answer(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("21")
    assert "people" not in talk.session.answers


def test_optional_question_can_be_skipped(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("2")
    talk.tap("skip")
    talk.tap("Send it")
    assert talk.of(TicketOpened)[0].answers == {"for_whom": "me", "people": 2}


def test_no_means_skip_at_an_optional_question(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("2")
    talk.say("no", "no", 0.9)
    assert talk.keys() == ["food_aid.summary"]


def test_back_forgets_the_answer_and_asks_again(talk: Talk) -> None:
    start_food(talk)
    talk.tap("For me")
    talk.say("back")
    assert talk.keys() == ["food_aid.for_whom"]
    assert talk.session.answers == {}
    talk.say("back")
    assert talk.keys() == ["common.nothing_back", "food_aid.for_whom"]


def test_changed_answer_asks_only_what_is_new_and_drops_the_dead_branch(talk: Talk) -> None:
    fill(talk)
    talk.tap("Change something")
    talk.tap("For")
    assert talk.keys() == ["food_aid.for_whom"]
    talk.tap("Someone else")
    assert talk.keys() == ["food_aid.other_name"]
    talk.say("Maria")
    assert talk.keys() == ["food_aid.summary"]
    assert "Name: Maria\nPeople: 4" in talk.of(Asked)[0].text
    talk.tap("Change something")
    talk.tap("For")
    talk.tap("For me")
    assert talk.session.answers == {"for_whom": "me", "people": 4, "phone": "+306900000001"}


def test_tap_on_an_older_question_answers_nothing(talk: Talk) -> None:
    start_food(talk)
    old = talk.of(Asked)[0].buttons[1].value
    talk.tap("For me")
    talk.do(StimulusKind.tapped, button=old)
    assert talk.keys() == ["common.unknown_button", "food_aid.people"]
    assert talk.session.answers == {"for_whom": "me"}


def test_another_request_is_asked_about_and_nothing_is_lost(talk: Talk) -> None:
    start_food(talk)
    talk.say("my water bill is huge", "water_tariff", 0.9)
    assert talk.keys() == ["common.switch_question"]
    assert talk.of(Asked)[0].text.startswith("the water bill?")
    talk.say("yes", "yes", 0.9)
    assert talk.session.flow == "water_tariff"
    talk.say("Eleni")
    talk.tap("Yes")
    assert talk.of(TicketOpened)[0].topic == "water_tariff"
    assert talk.keys()[-1] == "common.resume_question"
    talk.tap("yes")
    assert talk.keys() == ["food_aid.for_whom"]


def test_declined_switch_repeats_the_question(talk: Talk) -> None:
    start_food(talk)
    talk.say("my water bill is huge", "water_tariff", 0.9)
    talk.tap("no")
    assert talk.keys() == ["food_aid.for_whom"]
    assert talk.session.proposed is None


def test_a_weak_guess_does_not_interrupt(talk: Talk) -> None:
    start_food(talk)
    talk.say("hm the water", "water_tariff", 0.5)
    assert talk.keys() == ["common.not_understood", "food_aid.for_whom"]


def test_wait_is_set_and_its_token_ends_the_form(talk: Talk) -> None:
    start_food(talk)
    (wait,) = talk.of(WaitSet)
    assert wait.due_at == NOW + timedelta(hours=24)
    talk.do(StimulusKind.timed_out, token="stale")
    assert talk.events == ()
    assert talk.session.flow == "food_aid"
    talk.do(StimulusKind.timed_out, token=wait.token)
    assert talk.keys() == ["food_aid.gave_up"]
    assert talk.of(WaitCancelled)
    assert talk.session.flow is None


def test_menu_enters_a_flow_and_back_returns_to_the_menu(talk: Talk) -> None:
    talk.do(StimulusKind.opened)
    assert talk.keys() == ["welcome.hello", "welcome.menu"]
    talk.tap("Food")
    assert talk.keys() == ["food_aid.intro", "food_aid.for_whom"]
    talk.say("back")
    assert talk.keys() == ["welcome.menu"]


def test_opened_greets_once(talk: Talk) -> None:
    talk.do(StimulusKind.opened)
    talk.do(StimulusKind.opened)
    assert talk.keys() == []


def test_free_text_at_the_menu_starts_the_flow(talk: Talk) -> None:
    talk.say("hello", "greeting", 0.9)
    talk.say("we have nothing to eat", "food_aid", 0.5)
    assert talk.session.flow == "food_aid"
    assert FlowEnded("welcome", "routed") in talk.events


def test_verdict_is_told_and_never_stored(talk: Talk) -> None:
    talk.say("water", "water_tariff", 0.9)
    talk.say("Eleni")
    talk.tap("Yes")
    told = next(said for said in talk.of(Said) if said.key == "water_tariff.told")
    assert told.text == (
        "Not sure: we do not know where you are registered. (rule of 2/2/2018). Ask at 2810 529300."
    )
    assert talk.of(TicketOpened)[0].answers == {"name": "Eleni", "home": "yes"}


def test_a_second_run_opens_a_second_ticket(talk: Talk) -> None:
    fill(talk)
    talk.tap("Send it")
    talk.world(ref="HRK-0002")
    fill(talk)
    talk.tap("Send it")
    assert talk.of(TicketOpened)[0].ref == "HRK-0002"
