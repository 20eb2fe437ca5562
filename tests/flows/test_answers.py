"""Typed answers, number words, folding and the choice between options."""

from __future__ import annotations

from datetime import date

import pytest

from flows.events import Answer
from flows.fold import holds, plain, same, sound
from flows.match import Choice, choose
from flows.numbers import number_word
from flows.slots import Limits, is_map_place, map_place, parse, too_long
from flows.walk import Heard

LIMITS = Limits(today=date(2026, 1, 11))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("count", "4", 4),
        ("count", " 4 άτομα", 4),
        ("count", "τέσσερα", 4),
        ("count", "ΤΕΣΣΕΡΙΣ", 4),
        ("count", "tessera", 4),
        ("count", "είμαστε τέσσερις", 4),
        ("count", "twenty one", 21),
        ("count", "two or three", None),
        ("count", "2-3", None),
        ("count", "-2", None),
        ("count", "1.5", None),
        ("count", "πολλά", None),
        ("money", "650 ευρώ", 650.0),
        ("money", "€1.250,50", 1250.5),
        ("money", "1,250.50", 1250.5),
        ("money", "εξακόσια πενήντα", 650.0),
        ("money", "τίποτα", 0.0),
        ("money", "tipota", 0.0),
        ("money", "λίγα", None),
        ("phone", "6900000001", "+306900000001"),
        ("phone", "69 0000 0001", "+306900000001"),
        ("phone", "+30 690 000 0001", "+306900000001"),
        ("phone", "το κινητό μου 6900000001 μετά τις 5", "+306900000001"),
        ("phone", "2810 000001", "+302810000001"),
        ("phone", "123", None),
        ("phone", "69000000011", None),
        ("age_band", "67", "65-79"),
        ("age_band", "65-79", "65-79"),
        ("age_band", "80+", "80+"),
        ("age_band", "τριάντα δύο", "30-44"),
        ("age_band", "200", None),
        ("date", "12/1", "2026-01-12"),
        ("date", "12.1.26", "2026-01-12"),
        ("date", "αύριο", "2026-01-12"),
        ("date", "31/2", None),
        ("time", "17:30", "17:30"),
        ("time", "5 μμ", "17:00"),
        ("time", "25:00", None),
        ("supply_number", "12 345-678", "12345678"),
        ("supply_number", "δεν ξέρω", None),
        ("name", "Μαρία", "Μαρία"),
        ("name", "4", None),
        ("place", "Πόρος 3", "Πόρος 3"),
        ("place", "??", None),
        ("district", "Άγιος Ιωάννης", "Άγιος Ιωάννης"),
        ("text", "μας έκοψαν το νερό", "μας έκοψαν το νερό"),
        ("text", "", None),
        ("text", "x" * 9000, None),
    ],
)
def test_parse(kind: str, text: str, value: Answer) -> None:
    assert parse(kind, text, LIMITS) == value


def test_limits_are_kept() -> None:
    assert parse("count", "21", Limits(1, 20)) is None
    assert parse("count", "0", Limits(1, 20)) is None
    assert parse("count", "0", Limits(0, 20)) == 0


def test_too_long_is_told_apart() -> None:
    assert too_long("name", "x" * 81)
    assert not too_long("name", "x" * 80)


def test_map_place() -> None:
    assert is_map_place(map_place((35.34, 25.14)))
    assert not is_map_place("Πόρος 3")


@pytest.mark.parametrize(
    ("greek", "typed"),
    [
        ("πίσω", "piso"),
        ("άνθρωπος", "anthropos"),
        ("ευχαριστώ", "euxaristo"),
        ("ναι", "nai"),
        ("όχι", "oxi"),
        ("όχι", "ohi"),
        ("μπορώ", "mporo"),
        ("βοήθεια", "voithia"),
        ("ξέρω", "xero"),
        ("ψυχολόγος", "psixologos"),
        ("ΕΛΛΗΝΙΚΆ", "ellinika"),
    ],
)
def test_greek_and_greeklish_sound_the_same(greek: str, typed: str) -> None:
    assert sound(greek) == sound(typed)
    assert same(greek, typed)


def test_plain_and_holds() -> None:
    assert plain("  Τέλος;! ") == "τελοσ"
    assert holds("για μένα παρακαλώ", "Για μένα")
    assert not holds("άνθρωπος", "άνθρω")


def test_number_words() -> None:
    assert number_word("τριάντα δύο") == 32
    assert number_word("δύο τρία") is None
    assert number_word("two hundred") == 200
    assert number_word("hello") is None


SAFE = (Choice("safe", ("I am safe", "safe")), Choice("unsafe", ("Not safe",)), Choice("call", ("Call me",)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I am safe", "safe"),
        ("yes I am safe", "safe"),
        ("not safe", "unsafe"),
        ("I am not safe", "unsafe"),
        ("I do not feel safe", None),
        ("3", "call"),
        ("3.", "call"),
        ("4", None),
        ("please call me", "call"),
        ("call me, I am safe", "safe"),
        ("", None),
        ("safe " * 100, None),
    ],
)
def test_choose(text: str, value: str | None) -> None:
    assert choose(SAFE, text, None) == value


def test_yes_and_no_come_from_words_or_from_understanding() -> None:
    choices = (Choice("yes", ("Μάλιστα",)), Choice("no", ("Καθόλου",)))
    assert choose(choices, "ναι", None) == "yes"
    assert choose(choices, "oxi", None) == "no"
    assert choose(choices, "έτσι είναι", Heard(intent="yes", confidence=0.8)) == "yes"
    assert choose(choices, "έτσι είναι", Heard(intent="yes", confidence=0.3)) is None
