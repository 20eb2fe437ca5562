"""What a page does next: a pure function, so tables and random walks say all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.forms import FormError
from escalation.policy import (
    EMPTY_PAUSE,
    ROUND_PAUSE,
    Begin,
    Exhaust,
    Frozen,
    PageView,
    Pause,
    Policy,
    PolicyStep,
    Ring,
    TryView,
    Wait,
    freeze,
    next_move,
    reaches_anybody,
    thaw,
    who,
)
from escalation.policy_file import read_policy
from escalation.roster import Person, Role, Roster, Shift

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MEANS = frozenset({"voice", "sms"})
ELENI = Person("eleni", "Eleni", "+306900000001")
NIKOS = Person("nikos", "Nikos", "+306900000002")
DORA = Person("dora", "Dora", "+306900000009", role=Role.supervisor)
ALWAYS = Shift(frozenset(range(7)), 0, 1440, ("eleni", "nikos"))
STEPS = tuple(PolicyStep(word, ("voice", "sms"), MINUTE) for word in ("first", "second", "supervisor"))
POLICY = Policy(STEPS, 3, timedelta(minutes=5))


def roster(*people: Person, shifts: tuple[Shift, ...] = (ALWAYS,)) -> Roster:
    return Roster({one.key: one for one in people}, shifts, ZoneInfo("Europe/Athens"))


FULL = roster(ELENI, NIKOS, DORA)
ALIVE, DEAD = TryView("voice", True), TryView("voice", False)
TEXT = TryView("sms", True)


def ringing(round_: int = 0, step: int = 0, *, over: bool = False, alarm: bool = False) -> PageView:
    return PageView(True, alarm, round_, step, NOW if over else NOW + MINUTE)


def needed(round_: int = 0) -> PageView:
    return PageView(False, False, round_, 0, NOW)


def move(page: PageView, *tries: TryView, people: Roster = FULL, usable: frozenset[str] = MEANS) -> object:
    return next_move(Frozen(POLICY, 2), page, tries, people, usable, NOW)


def begin(round_: int, step: int, person: str) -> Begin:
    return Begin(round_, step, (Ring(person, "voice"), Ring(person, "sms")), NOW + MINUTE)


@pytest.mark.parametrize(
    ("page", "tries", "expected"),
    [
        (needed(), [], begin(0, 0, "eleni")),
        (ringing(), [ALIVE, TEXT], Wait()),
        (ringing(over=True), [ALIVE, TEXT], begin(0, 1, "nikos")),
        (ringing(), [DEAD, TEXT], begin(0, 1, "nikos")),
        (ringing(), [DEAD, ALIVE], Wait()),
        (ringing(), [TEXT], Wait()),
        (ringing(), [TryView("sms", False)], begin(0, 1, "nikos")),
        (ringing(0, 1, over=True), [ALIVE], begin(0, 2, "dora")),
        (ringing(0, 2, over=True), [ALIVE], begin(1, 0, "eleni")),
        (ringing(2, 2, over=True), [ALIVE], Exhaust(2, NOW + ROUND_PAUSE)),
        (ringing(2, 2), [DEAD], Exhaust(2, NOW + ROUND_PAUSE)),
        (ringing(over=True), [TryView("voice", True, unsent=True)], Wait()),
        (ringing(), [TryView("voice", True, hopeless=True), TEXT], Exhaust(0, NOW + EMPTY_PAUSE)),
        (ringing(), [TryView("voice", True, hopeless=True), ALIVE], Wait()),
        (ringing(3, 0, alarm=True), [TryView("voice", True, hopeless=True)], Pause(3, NOW + EMPTY_PAUSE)),
        (ringing(2, 3, alarm=True), [], Wait()),
        (ringing(2, 3, over=True, alarm=True), [], begin(3, 0, "eleni")),
        (ringing(3, 0, over=True, alarm=True), [ALIVE], begin(3, 1, "nikos")),
        (ringing(3, 2, over=True, alarm=True), [ALIVE], Pause(3, NOW + ROUND_PAUSE)),
    ],
)
def test_a_page_goes_on(page: PageView, tries: list[TryView], expected: object) -> None:
    assert move(page, *tries) == expected


def test_steps_that_reach_nobody_are_skipped_at_once() -> None:
    silent = roster(replace(ELENI, phone=None), NIKOS, DORA)
    assert move(needed(), people=silent) == begin(0, 1, "nikos")
    off = roster(ELENI, NIKOS, DORA, shifts=())
    assert move(needed(), people=off) == begin(0, 2, "dora")


def test_where_nobody_can_be_rung_the_alarm_sounds_at_once() -> None:
    nobody = roster(shifts=())
    assert move(needed(), people=nobody) == Exhaust(2, NOW + EMPTY_PAUSE)
    assert move(needed(), usable=frozenset()) == Exhaust(2, NOW + EMPTY_PAUSE)
    assert move(ringing(2, 3, over=True, alarm=True), people=nobody) == Pause(3, NOW + EMPTY_PAUSE)


def test_a_text_alone_goes_out_where_there_is_no_voice() -> None:
    decision = move(needed(), usable=frozenset({"sms"}))
    assert decision == Begin(0, 0, (Ring("eleni", "sms"),), NOW + MINUTE)


def test_whoever_let_a_case_go_is_asked_last() -> None:
    page = replace(needed(1), passed_over=frozenset({"eleni"}))
    assert move(page) == begin(1, 0, "nikos")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("first", ["eleni"]),
        ("second", ["nikos"]),
        ("third", []),
        ("supervisor", ["dora"]),
        ("everyone", ["eleni", "nikos", "dora"]),
        ("nikos", ["nikos"]),
        ("gone", []),
    ],
)
def test_the_words_of_a_policy(word: str, expected: list[str]) -> None:
    assert [person.key for person in who(word, FULL, frozenset(), NOW)] == expected


def test_a_citizen_is_promised_a_call_only_when_somebody_on_shift_can_be_rung() -> None:
    assert reaches_anybody(POLICY, FULL, MEANS, NOW)
    assert not reaches_anybody(POLICY, FULL, frozenset(), NOW)
    assert not reaches_anybody(POLICY, roster(DORA, shifts=()), MEANS, NOW)
    straight_up = Policy((PolicyStep("supervisor", ("voice",), MINUTE),), 1, MINUTE)
    assert reaches_anybody(straight_up, roster(DORA, shifts=()), MEANS, NOW)


def test_a_frozen_policy_comes_back_as_it_was() -> None:
    assert thaw(freeze(POLICY, 4)) == Frozen(POLICY, 6)


@given(st.data())
def test_every_page_reaches_everybody_in_every_round_and_then_sounds_the_alarm(data: st.DataObject) -> None:
    """Whatever calls come to, nobody is skipped, no step comes twice, and the end is an alarm."""
    repeat = data.draw(st.integers(1, 4))
    words = data.draw(
        st.lists(st.sampled_from(["first", "second", "third", "supervisor", "gone"]), min_size=1)
    )
    steps = tuple(PolicyStep(word, ("voice", "sms"), MINUTE) for word in words)
    frozen = thaw(freeze(Policy(steps, repeat, MINUTE), 0))
    page, now = needed(), NOW
    tries: list[TryView] = []
    seen: list[tuple[int, int]] = []
    while True:
        decision = next_move(frozen, page, tries, FULL, MEANS, now)
        if isinstance(decision, Begin):
            seen.append((decision.round, decision.step))
            page = PageView(True, False, decision.round, decision.step, decision.until)
            tries = [TryView(ring.means, data.draw(st.booleans())) for ring in decision.rings]
        elif isinstance(decision, Wait):
            assert any(one.alive for one in tries)
            now = page.due_at
        else:
            break
    reachable = [place for place, word in enumerate(words) if word not in ("third", "gone")]
    assert seen == [(round_, step) for round_ in range(repeat) for step in reachable]
    assert isinstance(decision, Exhaust)


def test_a_policy_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "steps: [{who: first, by: [voice, sms], for: 60s}, {who: dora, by: [sms], for: 2m}]\n"
        "repeat: 3\ncontact_within: 5m\n"
    )
    expected = (
        PolicyStep("first", ("voice", "sms"), MINUTE),
        PolicyStep("dora", ("sms",), 2 * MINUTE),
    )
    assert read_policy(path, FULL) == Policy(expected, 3, 5 * MINUTE)


def test_the_mistakes_of_a_policy_file_have_lines(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("steps:\n  - {who: first, by: [pigeon], for: 60}\nrepeat: 0\n")
    with pytest.raises(FormError) as caught:
        read_policy(path, FULL)
    assert [one.split(": ")[0] for one in caught.value.problems] == [
        "policy.yaml:2",
        "policy.yaml:2",
        "policy.yaml:3",
    ]
    path.write_text("steps: [{who: tenth, by: [voice], for: 60s}]\n")
    with pytest.raises(FormError, match=r"policy\.yaml:1: steps\.0\.who"):
        read_policy(path, FULL)
