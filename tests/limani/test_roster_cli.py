"""limani roster: who is on call at a moment, the gaps, and the calendar; times as people write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from escalation.roster import Person, Roster, Shift
from limani.calendar import as_calendar
from limani.commands.roster_group import parse_moment
from limani.commands.told import Told
from tests.limani.command import Shell, sentence

ATHENS = ZoneInfo("Europe/Athens")
NIGHTS = """
people:
  eleni: {name: Eleni, phone: "+306900000001"}
  nikos: {name: Nikos, phone: "+306900000002"}
  dora:  {name: Dora, phone: "+306900000009", role: supervisor}
shifts:
  - {days: "mon-sun", from: "08:00", to: "20:00", order: [eleni]}
  - {days: "mon-sun", from: "20:00", to: "08:00", order: [nikos, eleni]}
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path)
    write(made, NIGHTS)
    return made


def write(shell: Shell, words: str | bytes) -> None:
    file = shell.folder / "roster.yaml"
    file.write_bytes(words if isinstance(words, bytes) else words.encode())
    shell.env["LIMANI_ROSTER"] = str(file)


@pytest.mark.parametrize(
    ("at", "on_call"),
    [
        ("2026-12-24 23:00", ["nikos", "eleni"]),
        ("2026-12-24T23:00", ["nikos", "eleni"]),
        ("2026-12-24T19:59:59+02:00", ["eleni"]),
        ("2026-12-24T18:00:00Z", ["nikos", "eleni"]),
        ("2026-12-25 08:00", ["eleni"]),
    ],
)
def test_who_is_on_call_at_a_moment(shell: Shell, at: str, on_call: list[str]) -> None:
    answer = shell.run("roster", "show", "--at", at, "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["on_call"] == on_call
    assert json.loads(answer.out)["supervisors"] == ["dora"]


def test_show_tells_now_and_no_phone(shell: Shell) -> None:
    answer = shell.run("roster", "show")
    assert answer.code == 0
    assert "Eleni" in answer.out
    assert "supervisor dora" in answer.out
    assert "+30" not in answer.out


def test_show_says_when_nobody_is_there(shell: Shell) -> None:
    write(shell, "people: {}\nshifts: []\n")
    assert "nobody is on call" in shell.run("roster", "show").out


@pytest.mark.parametrize(
    "at", ["", "tomorrow", "24/12/2026 23:00", "0001-01-01", "9999-12-31 23:59", "25:00"]
)
def test_a_moment_that_is_none(shell: Shell, at: str) -> None:
    assert "--at" in sentence(shell.run("roster", "show", "--at", at))


def test_a_moment_without_an_offset_is_the_towns() -> None:
    assert parse_moment("2026-07-01 12:00", ATHENS) == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert parse_moment("2026-12-01 12:00", ATHENS) == datetime(2026, 12, 1, 10, tzinfo=UTC)
    with pytest.raises(Told):
        parse_moment("12:00", ATHENS)


def test_a_full_roster_has_no_gaps(shell: Shell) -> None:
    answer = shell.run("roster", "check", "--days", "400")
    assert (answer.code, answer.out) == (0, "0 gaps in the next 400 days\n")


def test_gaps_are_listed_and_the_exit_code_is_1(shell: Shell) -> None:
    write(shell, NIGHTS.replace('"20:00", to: "08:00"', '"21:00", to: "08:00"'))
    answer = shell.run("roster", "check", "--days", "7", "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert len(found) in (7, 8)
    moments = [datetime.fromisoformat(gap["from"]).astimezone(ATHENS) for gap in found[1:]]
    assert {moment.hour for moment in moments} == {20}
    assert "nobody from" in shell.run("roster", "check").out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("people: }", 1),
        (NIGHTS.replace("order: [eleni]", "order: [ghost]"), 7),
        (NIGHTS.replace('"08:00"', '"late"', 1), 7),
        (NIGHTS.replace('"+306900000002"', '"call me"'), 4),
        (NIGHTS + "shift: []\n", 9),
        (NIGHTS + "people: {}\n", 9),
        (b"people: {\xff\xfe}", 1),
        ("- just\n- a list\n", 1),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("check",), ("ics",)])
def test_a_broken_roster_is_told_with_its_line(
    shell: Shell, command: tuple[str, ...], words: str | bytes, line: int
) -> None:
    write(shell, words)
    assert f"roster.yaml:{line}:" in sentence(shell.run("roster", *command))


def test_a_roster_that_is_not_there(shell: Shell) -> None:
    shell.env["LIMANI_ROSTER"] = str(shell.folder / "nowhere.yaml")
    assert "LIMANI_ROSTER" in sentence(shell.run("roster", "show"))
    shell.env["LIMANI_ROSTER"] = str(shell.folder)
    assert "cannot be read" in sentence(shell.run("roster", "show"))


def unfolded(calendar: str) -> list[str]:
    return calendar.replace("\r\n ", "").split("\r\n")


def test_the_calendar_is_in_utc_and_shows_no_phone(shell: Shell) -> None:
    out = shell.folder / "roster.ics"
    assert shell.run("roster", "ics", "--days", "3", "--out", str(out)).code == 0
    calendar = out.read_bytes().decode()
    lines = unfolded(calendar)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") >= 6
    assert "SUMMARY:Nikos\\, Eleni" in lines
    assert "VTIMEZONE" not in calendar
    assert "+30" not in calendar
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(uids) == len(set(uids))


def test_the_calendar_follows_the_wall_clock_over_the_change_of_time() -> None:
    nikos = Person("nikos", "Νίκος; ο πρώτος, με πολύ μεγάλο όνομα που δεν χωρά σε μία γραμμή", None)
    roster = Roster({"nikos": nikos}, (Shift(frozenset(range(7)), 20 * 60, 8 * 60, ("nikos",)),), ATHENS)
    start = datetime(2026, 10, 24, 10, tzinfo=UTC)
    calendar = as_calendar(roster, start, start + timedelta(days=1))
    assert all(len(line.encode()) <= 75 for line in calendar.split("\r\n"))
    lines = unfolded(calendar)
    assert "DTSTART:20261024T170000Z" in lines
    assert "DTEND:20261025T060000Z" in lines
    assert "SUMMARY:Νίκος\\; ο πρώτος\\, με πολύ μεγάλο όνομα που δεν χωρά σε μία γραμμή" in lines


def test_a_calendar_that_cannot_be_written(shell: Shell) -> None:
    assert "cannot write" in sentence(shell.run("roster", "ics", "--out", "/proc/nowhere/x.ics"))
