"""Red and amber: they come before everything, page once, and never lose a form."""

from __future__ import annotations

import pytest

from flows.events import (
    Asked,
    EntryAdded,
    FlowEnded,
    PageNeeded,
    Relayed,
    RiskRaised,
    Said,
    TicketOpened,
)
from flows.session import CasePhase, StimulusKind
from flows.walk import Heard
from tests.flows.small import Talk


def test_red_at_first_contact(talk: Talk) -> None:
    talk.red("I cannot go on")
    (opened,) = talk.of(TicketOpened)
    assert (opened.topic, opened.risk, opened.risk_kind) == ("psych_support", "red", "suicide")
    assert talk.of(PageNeeded) == [PageNeeded("HRK-0001", "red", "suicide")]
    assert talk.of(EntryAdded) == [EntryAdded("HRK-0001", "citizen", "said", "I cannot go on")]
    assert talk.keys() == ["crisis.stay"]
    assert talk.of(Asked)[0].urgent


@pytest.mark.parametrize("kind", ["said", "edited", "filed"])
def test_red_in_every_kind_of_text(talk: Talk, kind: str) -> None:
    talk.say("food", "food_aid", 0.9)
    heard = Heard("en", "latin", risk="red", risk_kind="suicide")
    talk.do(StimulusKind(kind), "I cannot go on", understood=heard)
    assert talk.of(PageNeeded)
    assert talk.keys() == ["crisis.stay"]


def test_the_form_is_parked_with_its_answers_in_the_ticket(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.tap("For me")
    talk.red()
    assert talk.of(TicketOpened)[0].answers == {"for_whom": "me"}
    assert FlowEnded("food_aid", "preempted") in talk.events
    assert [parked.flow for parked in talk.session.parked] == ["food_aid"]
    assert talk.session.parked[0].ref is None


def test_second_red_message_is_an_entry_and_pages_nobody_again(talk: Talk) -> None:
    talk.red()
    talk.red("please")
    assert talk.of(PageNeeded) == []
    assert talk.of(EntryAdded)[0].text == "please"
    assert talk.keys() == ["crisis.holding"]
    assert [button.label for button in talk.of(Said)[0].buttons] == ["I am safe", "Not safe"]


def test_a_red_answer_to_the_crisis_question_is_still_an_answer(talk: Talk) -> None:
    talk.red()
    talk.red("not safe")
    assert talk.keys() == ["crisis.numbers", "crisis.waiting"]


def test_open_ticket_is_raised(talk: Talk) -> None:
    talk.say("I want a person", "human", 0.9)
    talk.world(ref="HRK-0002")
    talk.red(kind="violence")
    assert talk.of(TicketOpened) == []
    assert talk.of(RiskRaised) == [RiskRaised("HRK-0001", "red", "violence")]
    assert talk.of(PageNeeded) == [PageNeeded("HRK-0001", "red", "violence")]


def test_nobody_on_call_is_said_at_once_and_paged_all_the_same(talk: Talk) -> None:
    talk.world(on_call=False)
    talk.red()
    assert talk.of(PageNeeded)
    assert talk.keys() == ["crisis.nobody"]
    assert talk.phase() is CasePhase.exhausted
    talk.world(on_call=True)
    talk.red("still here")
    assert talk.of(PageNeeded)
    assert talk.phase() is CasePhase.ringing


def test_free_text_in_the_crisis_is_held_not_corrected(talk: Talk) -> None:
    talk.red()
    talk.say("I do not know what to say")
    assert talk.keys() == ["crisis.holding"]
    assert talk.of(EntryAdded)


def test_amber_asks_once_and_goes_back_to_the_form(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.say("everything is grey", risk="amber")
    assert talk.of(TicketOpened)[0].risk == "amber"
    assert talk.of(PageNeeded) == []
    assert talk.keys() == ["crisis.direct"]
    talk.tap("No")
    assert talk.keys() == ["food_aid.for_whom"]
    talk.say("grey again", risk="amber")
    assert talk.keys() == ["common.not_understood", "food_aid.for_whom"]


def test_amber_that_is_answered_with_yes_turns_red(talk: Talk) -> None:
    talk.say("everything is grey", risk="amber")
    talk.tap("Yes")
    assert talk.of(RiskRaised) == [RiskRaised("HRK-0001", "red", "suicide")]
    assert talk.of(PageNeeded)
    assert talk.keys() == ["crisis.stay"]


def test_words_while_joined_are_relayed_and_the_bot_is_silent(talk: Talk) -> None:
    talk.red()
    talk.do(StimulusKind.page_acknowledged, by="eleni", ref="HRK-0001")
    talk.say("thank you")
    assert talk.events == (Relayed("HRK-0001", "responder", "citizen", "thank you"),)


def test_red_while_joined_in_a_quiet_case_calls_others_too(talk: Talk) -> None:
    talk.say("I want a person", "human", 0.9)
    talk.do(StimulusKind.page_acknowledged, by="eleni", ref="HRK-0001")
    talk.red()
    assert talk.of(RiskRaised)
    assert talk.of(PageNeeded)
    assert talk.of(Relayed)
    assert talk.keys() == []


def test_a_food_ticket_never_replaces_a_red_case(talk: Talk) -> None:
    talk.red()
    talk.say("stop")
    assert talk.keys() == ["crisis.stopped"]
    talk.world(ref="HRK-0002")
    talk.say("and I need food", "food_aid", 0.9)
    for answer in ("for me", "2", "6900000001", "send it"):
        talk.say(answer)
    assert talk.of(TicketOpened)[0].ref == "HRK-0002"
    assert "Sent, HRK-0002." in [said.text for said in talk.of(Said)]
    assert talk.session.case is not None
    assert talk.session.case.ref == "HRK-0001"


def test_stop_does_not_stop_the_search(talk: Talk) -> None:
    talk.red()
    talk.say("stop")
    assert talk.phase() is CasePhase.ringing
    talk.say("hello?")
    assert talk.keys() == ["crisis.holding"]
