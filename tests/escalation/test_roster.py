"""Who is on call: local shifts, both clock-change nights, gaps, and a file's mistakes with their lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.forms import FormError
from escalation.roster import Roster, gaps, on_call, supervisors
from escalation.roster_file import read_roster

ATHENS = ZoneInfo("Europe/Athens")
PEOPLE = """
people:
  eleni: {name: Eleni, phone: "+306900000001", languages: [el, en]}
  nikos: {name: Nikos, phone: "+306900000002"}
  maria: {name: Maria}
  dora: {name: Dora, phone: "+306900000009", role: supervisor}
"""


def roster(tmp_path: Path, shifts: str, people: str = PEOPLE) -> Roster:
    path = tmp_path / "roster.yaml"
    path.write_text(people + "shifts:" + shifts)
    return read_roster(path, ATHENS)


def at(text: str) -> datetime:
    """A wall-clock time in Athens; "+1" behind it means the second coming of an hour."""
    wall, _, fold = text.partition("+")
    return datetime.fromisoformat(wall).replace(tzinfo=ATHENS, fold=int(fold or 0)).astimezone(UTC)


def keys(found: Roster, moment: str) -> list[str]:
    return [person.key for person in on_call(found, at(moment))]


NIGHTS = """
  - {days: "mon-sun", from: "22:00", to: "06:00", order: [eleni]}
  - {days: "mon-sun", from: "06:00", to: "22:00", order: [nikos]}
"""


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-24T21:59", ["nikos"]),
        ("2026-11-24T22:00", ["eleni"]),
        ("2026-11-25T05:59", ["eleni"]),
        ("2026-11-25T06:00", ["nikos"]),
        # 28 March 2027: 03:00 becomes 04:00, the night has seven hours
        ("2027-03-28T02:59", ["eleni"]),
        ("2027-03-28T04:00", ["eleni"]),
        ("2027-03-28T06:00", ["nikos"]),
        # 31 October 2027: 04:00 becomes 03:00, the night has nine hours
        ("2027-10-31T03:30", ["eleni"]),
        ("2027-10-31T03:30+1", ["eleni"]),
        ("2027-10-31T05:59", ["eleni"]),
        ("2027-10-31T06:00", ["nikos"]),
    ],
)
def test_a_night_shift_goes_by_the_wall_clock(tmp_path: Path, moment: str, expected: list[str]) -> None:
    assert keys(roster(tmp_path, NIGHTS), moment) == expected


def test_a_handover_inside_the_hour_that_comes_twice_happens_once(tmp_path: Path) -> None:
    found = roster(
        tmp_path,
        """
  - {days: "mon-sun", from: "22:00", to: "03:30", order: [eleni]}
  - {days: "mon-sun", from: "03:30", to: "22:00", order: [nikos]}
""",
    )
    assert keys(found, "2027-10-31T03:29") == ["eleni"]
    assert keys(found, "2027-10-31T03:30") == ["nikos"]
    assert keys(found, "2027-10-31T03:29+1") == ["nikos"]
    assert gaps(found, at("2027-10-30T00:00"), 3) == []
    assert gaps(found, at("2027-03-27T00:00"), 3) == []


@given(
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(["2027-03-27T00:00", "2027-10-30T00:00"]),
    st.integers(0, 4320),
)
def test_two_shifts_that_meet_leave_no_minute_to_nobody(handover: int, start: str, minute: int) -> None:
    from escalation.roster import Person, Shift

    people = {key: Person(key, key, "+306900000001") for key in ("day", "night")}
    everyday = frozenset(range(7))
    other = (handover + 720) % 1440
    shifts = (Shift(everyday, handover, other, ("day",)), Shift(everyday, other, handover, ("night",)))
    found = Roster(people, shifts, ATHENS)
    assert len(on_call(found, at(start) + timedelta(minutes=minute))) == 1


def test_days_whole_days_and_order(tmp_path: Path) -> None:
    found = roster(
        tmp_path,
        """
  - {days: "mon,wed", from: "00:00", to: "24:00", order: [nikos, eleni]}
  - {days: "fri-sun", from: "00:00", to: "24:00", order: [eleni]}
  - {days: "mon-sun", from: "08:00", to: "12:00", order: [dora, eleni]}
""",
    )
    assert keys(found, "2026-11-23T23:59") == ["nikos", "eleni"]
    assert keys(found, "2026-11-23T09:00") == ["nikos", "eleni", "dora"]
    assert keys(found, "2026-11-24T00:00") == []
    assert keys(found, "2026-11-29T13:00") == ["eleni"]
    assert [person.key for person in supervisors(found)] == ["dora"]


def test_no_shifts_is_a_roster_with_one_long_gap(tmp_path: Path) -> None:
    found = roster(tmp_path, " []")
    start = at("2026-11-24T10:00")
    assert on_call(found, start) == []
    assert gaps(found, start, 60) == [(start, start + timedelta(days=60))]


def test_a_shift_of_people_without_phones_is_a_gap(tmp_path: Path) -> None:
    found = roster(
        tmp_path,
        """
  - {days: "mon-sun", from: "00:00", to: "12:00", order: [eleni]}
  - {days: "mon-sun", from: "12:00", to: "24:00", order: [maria]}
""",
    )
    start = at("2026-11-24T00:00")
    assert gaps(found, start, 1) == [(start + timedelta(hours=12), start + timedelta(hours=24))]


def test_all_mistakes_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    people = """
people:
  eleni: {name: Eleni, phone: "6900000001"}
  nikos: {name: Nikos, phone: "+306900000002", colour: red}
"""
    with pytest.raises(FormError) as caught:
        roster(tmp_path, '\n  - {days: "mon-fry", from: "08:00", to: "25:00", order: []}\n', people)
    told = caught.value.problems
    assert len(told) == 5
    assert any(one.startswith("roster.yaml:3: people.eleni.phone:") for one in told)
    assert any(one.startswith("roster.yaml:4: people.nikos.colour:") for one in told)
    assert sum(one.startswith("roster.yaml:6: ") for one in told) == 3


def test_a_shift_of_strangers_and_a_key_that_is_a_word_are_mistakes(tmp_path: Path) -> None:
    people = "people:\n  first: {name: Eleni}\n"
    with pytest.raises(FormError) as caught:
        roster(tmp_path, '\n  - {days: mon, from: "08:00", to: "09:00", order: [nobody]}\n', people)
    assert [one.split(": ")[1] for one in caught.value.problems] == ["people.first", "shifts.0.order.0"]
