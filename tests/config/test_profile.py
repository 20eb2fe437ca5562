"""The profile: Heraklion's own is sound and respects the known traps; a broken one is told line by line."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.facts import FactEntry, FactKind
from config.holidays import easter, holidays
from config.profile import Profile, ProfileError

HERAKLION = Path(__file__).parents[2] / "config" / "heraklion"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def heraklion() -> Profile:
    return Profile.load(HERAKLION)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERAKLION, tmp_path / "town"))


def test_heraklion_loads(heraklion: Profile) -> None:
    assert heraklion.town.bot_name == "Limani"
    assert heraklion.words(heraklion.town.municipality, "en") == "Municipality of Heraklion, Crete"
    assert heraklion.zone == ZoneInfo("Europe/Athens")
    assert heraklion.roster_path.is_file()
    assert heraklion.policy_path.is_file()


def test_nothing_is_sure_before_the_municipality_confirms_it(heraklion: Profile) -> None:
    assert set(heraklion.unsure_facts(NOW)) == set(heraklion.facts)


def test_only_verified_phones_and_lines_are_dialable(heraklion: Profile) -> None:
    views = heraklion.facts_at(NOW, "el")
    assert views["hotline.suicide"].dialable
    assert views["directorate.phone"].dialable
    assert not views["hotline.addiction"].dialable, "not known whether it still answers"
    assert not views["directorate.address"].dialable, "a place cannot be dialled"


def test_facts_speak_both_languages(heraklion: Profile) -> None:
    assert heraklion.facts_at(NOW, "el")["hotline.suicide"].value == "1018 (24 ώρες)"
    assert heraklion.facts_at(NOW, "en")["hotline.suicide"].value == "1018 (24 hours)"
    assert heraklion.facts_at(NOW, "sq")["hotline.suicide"].value == "1018 (24 ώρες)", "the default language"
    for fact in heraklion.facts.values():
        assert set(fact.value) in ({"*"}, {"el", "en"}), fact.id


def test_whose_bot_it_is_is_a_sure_fact(heraklion: Profile) -> None:
    views = heraklion.facts_at(NOW, "en")
    assert views["town.municipality"].value == "Municipality of Heraklion, Crete"
    assert views["town.department"].sure
    assert views["town.bot_name"].value == "Limani"


def test_a_fact_comes_in_every_language_at_once(heraklion: Profile) -> None:
    """The step that changes the language must already speak the new one."""
    views = heraklion.facts_at(NOW, "el")
    assert views["hotline.suicide"].other == {"el": "1018 (24 ώρες)", "en": "1018 (24 hours)"}
    assert views["town.municipality"].other["en"] == "Municipality of Heraklion, Crete"
    assert views["hotline.emergency"].other == {}, "112 is 112 in every language"


def test_known_traps_are_absent(heraklion: Profile) -> None:
    told = " ".join(text for fact in heraklion.facts.values() for text in fact.value.values())
    assert not re.search(r"\b(1147|1107|1535|1145)\b", told)
    assert "210 " not in told, "Attica"
    assert not re.search(r"ξενώνα.*γυναικών|women.*shelter", told, re.IGNORECASE), "its address is secret"


def test_every_phone_is_of_crete_or_national(heraklion: Profile) -> None:
    for fact in heraklion.facts.values():
        if fact.kind is FactKind.phone:
            assert fact.value["*"].startswith(("2810 ", "2813 ")), fact.id


def test_every_danger_has_a_line_that_answers(heraklion: Profile) -> None:
    for kind in ("suicide", "self_harm", "violence", "child", "threat", "medical", "any"):
        assert heraklion.hotlines[kind]
    assert "hotline.women" in heraklion.hotlines["violence"]


def test_the_text_of_a_fact_in_another_language_falls_back() -> None:
    fact = _fact(value={"el": "α"})
    assert fact.view(date(2026, 1, 2), "en", "el").value == "α"
    assert fact.view(date(2026, 1, 2), "en", "sq").value == "α"


def test_a_confirmed_fact_is_sure_to_its_last_day() -> None:
    fact = _fact(verified=True, confirmed=True, expires=date(2026, 3, 31))
    assert fact.view(date(2026, 3, 31), "el", "el").sure
    assert not fact.view(date(2026, 4, 1), "el", "el").sure


def test_the_day_is_the_towns_day(heraklion: Profile) -> None:
    """At 22:30 UTC on the last day it is past midnight in Heraklion already."""
    fact = heraklion.facts["clinic.phone"].model_copy(update={"confirmed": True})
    profile = Profile(heraklion.folder, heraklion.town, {fact.id: fact}, {}, heraklion.hotlines)
    last = datetime(2026, 12, 23, 12, 0, tzinfo=UTC)
    assert profile.facts_at(last, "el")[fact.id].sure
    assert not profile.facts_at(last.replace(hour=22, minute=30), "el")[fact.id].sure


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (2024, "2024-05-05"),
        (2026, "2026-04-12"),
        (2027, "2027-05-02"),
        (2028, "2028-04-16"),
        (2030, "2030-04-28"),
        (2033, "2033-04-24"),
    ],
)
def test_easter(year: int, sunday: str) -> None:
    assert easter(year) == date.fromisoformat(sunday)


def test_holidays_move_with_easter() -> None:
    assert date(2026, 2, 23) in holidays(2026), "Clean Monday, not 3 March as one printed list has it"
    assert date(2027, 6, 21) in holidays(2027)
    assert len(holidays(2026)) == 13


@pytest.mark.parametrize(
    ("local", "is_open"),
    [
        ("2026-11-24T10:00", True),
        ("2026-11-24T07:29", False),
        ("2026-11-24T15:30", False),
        ("2026-11-28T10:00", False),
        ("2026-11-11T10:00", False),
        ("2026-12-25T10:00", False),
        ("2026-07-01T08:00", True),
    ],
)
def test_office_hours(heraklion: Profile, local: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=heraklion.zone)
    assert heraklion.office_open(moment.astimezone(UTC)) is is_open


def test_a_moved_holiday(copy: Path) -> None:
    text = (copy / "profile.yaml").read_text(encoding="utf-8")
    text = text.replace("closed_on: []", "closed_on: [2027-05-04]").replace(
        "open_on: []", "open_on: [2027-05-03]"
    )
    (copy / "profile.yaml").write_text(text, encoding="utf-8")
    profile = Profile.load(copy)
    noon = datetime(2027, 5, 4, 12, 0, tzinfo=profile.zone)
    assert not profile.office_open(noon)
    assert profile.office_open(noon - timedelta(days=1))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "profile.yaml",
            "timezone: Europe/Athens",
            "timezone: Mars/Base",
            r"profile.yaml:5: timezone: .*Athens",
        ),
        ("profile.yaml", "bot_name: Limani", "bot_nmae: Limani", r"bot_nmae: Extra inputs"),
        (
            "profile.yaml",
            "mon-fri",
            "Δευτέρα",
            r"profile.yaml:\d+: office.hours.0.days: days are written like",
        ),
        ("profile.yaml", 'to: "15:30"', 'to: "05:30"', r"`to` must be later"),
        ("profile.yaml", "default_language: el", "default_language: fr", r"not in `languages`"),
        (
            "facts.yaml",
            "expires: 2027-05-31",
            "expires: 2020-05-31",
            r"facts.yaml:\d+: \d+: `expires` must be later",
        ),
        ("facts.yaml", "id: directorate.phone", "id: directorate.telephone", r"no fact 'directorate.phone'"),
        (
            "facts.yaml",
            "id: hotline.police",
            "id: hotline.emergency",
            r"'hotline.emergency' is written twice",
        ),
        ("facts.yaml", "kind: hotline", "kind: rumour", r"facts.yaml:\d+: 0.kind"),
        ("hotlines.yaml", "any: ", "anything: ", r"hotlines.yaml:1: any"),
        ("hotlines.yaml", "hotline.teens", "hotline.elders", r"hotlines.yaml:\d+: child: .*not verified"),
        ("services.yaml", "contact: clinic.phone", "contact: clinic.address", r"no phone and no hotline"),
        (
            "services.yaml",
            "medicines:",
            "health_care:",
            r"services.yaml:\d+: the key 'health_care' is written twice",
        ),
        ("services.yaml", "food_aid:", "food_aid: {", r"services.yaml:\d+: "),
    ],
)
def test_a_mistake_is_told_with_its_file(copy: Path, file: str, old: str, new: str, said: str) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError, match=said):
        Profile.load(copy)


def test_all_mistakes_at_once(copy: Path) -> None:
    (copy / "profile.yaml").write_text("ref_prefix: hrk\n", encoding="utf-8")
    (copy / "facts.yaml").write_text("- [\n", encoding="utf-8")
    (copy / "policy.yaml").unlink()
    with pytest.raises(ProfileError) as caught:
        Profile.load(copy)
    told = "\n".join(caught.value.problems)
    assert "profile.yaml:1: ref_prefix" in told
    assert "municipality" in told
    assert "facts.yaml:2" in told
    assert "policy.yaml:1: this file is missing" in told


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no such folder"):
        Profile.load(tmp_path / "nowhere")


def _fact(**changes: object) -> FactEntry:
    base: dict[str, object] = {
        "id": "a.b",
        "kind": "fact",
        "value": "x",
        "source": "a page",
        "checked": date(2026, 1, 1),
        "verified": False,
    }
    return FactEntry.model_validate(base | changes)
