"""The human side: taken, missed, exhausted, relayed, handed back, closed."""

from __future__ import annotations

from flows.events import HandoffEnded, HandoffStarted, Relayed, Said, WaitCancelled
from flows.session import CasePhase, StimulusKind
from tests.flows.small import Talk


def acknowledge(talk: Talk, ref: str = "HRK-0001") -> None:
    talk.do(StimulusKind.page_acknowledged, by="eleni", ref=ref)


def test_acknowledged_page_is_told_and_the_crisis_flow_ends(talk: Talk) -> None:
    talk.red()
    acknowledge(talk)
    assert talk.of(HandoffStarted) == [HandoffStarted("HRK-0001")]
    assert talk.keys() == ["crisis.joined"]
    assert talk.of(Said)[0].urgent
    assert talk.of(WaitCancelled)
    assert talk.session.flow is None
    acknowledge(talk)
    assert talk.events == ()


def test_quiet_case_is_joined_in_other_words(talk: Talk) -> None:
    talk.say("a person", "human", 0.9)
    acknowledge(talk)
    assert talk.keys() == ["common.human_joined"]


def test_a_ticket_that_the_talk_had_forgotten_is_adopted(talk: Talk) -> None:
    talk.world(tickets=(talk.ticket("HRK-0009"),))
    acknowledge(talk, "HRK-0009")
    assert talk.session.case is not None
    assert (talk.session.case.ref, talk.session.case.topic) == ("HRK-0009", "food_aid")


def test_a_red_case_is_not_dropped_for_another_ticket(talk: Talk) -> None:
    talk.red()
    acknowledge(talk, "HRK-0009")
    assert talk.session.case is not None
    assert (talk.session.case.ref, talk.session.case.phase) == ("HRK-0001", CasePhase.ringing)


def test_exhausted_says_the_truth_for_its_kind(talk: Talk) -> None:
    talk.red(kind="violence")
    talk.do(StimulusKind.page_exhausted, ref="HRK-0001")
    assert talk.keys() == ["crisis.exhausted_violence"]
    talk.say("hello?")
    assert talk.keys() == ["crisis.holding_exhausted"]
    acknowledge(talk)
    assert talk.keys() == ["crisis.joined"]


def test_missed_contact_is_told(talk: Talk) -> None:
    talk.red()
    acknowledge(talk)
    talk.do(StimulusKind.contact_missed, ref="HRK-0001")
    assert talk.keys() == ["crisis.contact_missed"]
    assert talk.phase() is CasePhase.ringing


def test_responder_words_reach_the_citizen(talk: Talk) -> None:
    talk.red()
    acknowledge(talk)
    talk.do(StimulusKind.human_said, "Good evening", by="eleni", ref="HRK-0001")
    assert talk.events == (Relayed("HRK-0001", "citizen", "eleni", "Good evening"),)


def test_words_without_taking_the_case_begin_the_talk(talk: Talk) -> None:
    talk.red()
    talk.do(StimulusKind.human_said, "Good evening", by="eleni", ref="HRK-0001")
    assert talk.of(HandoffStarted) == [HandoffStarted("HRK-0001")]
    assert talk.of(Relayed) == [Relayed("HRK-0001", "citizen", "eleni", "Good evening")]
    assert talk.phase() is CasePhase.joined


def test_closing_ends_the_relay_and_offers_the_parked_form(talk: Talk) -> None:
    talk.say("food", "food_aid", 0.9)
    talk.tap("For me")
    talk.red()
    acknowledge(talk)
    talk.do(StimulusKind.ticket_closed, "helped", ref="HRK-0001")
    assert talk.of(HandoffEnded) == [HandoffEnded("HRK-0001")]
    assert talk.keys() == ["crisis.closed", "common.resume_question"]
    assert talk.session.case is None
    talk.say("yes", "yes", 0.9)
    assert talk.keys() == ["food_aid.people"]
    assert talk.session.answers == {"for_whom": "me"}


def test_handing_back_keeps_the_case_open(talk: Talk) -> None:
    talk.red()
    acknowledge(talk)
    talk.do(StimulusKind.handoff_ended, by="eleni", ref="HRK-0001")
    assert talk.keys() == ["common.handed_back"]
    assert talk.phase() is CasePhase.queued
    talk.red("it is bad again")
    assert talk.keys() == ["crisis.stay"]
    assert talk.phase() is CasePhase.ringing


def test_closing_another_ticket_is_told_and_changes_nothing(talk: Talk) -> None:
    talk.red()
    before = talk.session.case
    talk.do(StimulusKind.ticket_closed, ref="HRK-0009")
    assert [said.text for said in talk.of(Said)] == ["HRK-0009 closed (en)"]
    assert talk.session.case == before
