"""Spelling does not matter: the key of a phrase is the same in every habit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.normalise import Habit, fold, fold_word, habit_of, readings, tidy, words
from nlu.variants import SPELLINGS, greeklish, spell

GREEK = "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊ"
greek_words = st.text(alphabet=GREEK, min_size=1, max_size=12)
greek_texts = st.lists(greek_words, min_size=1, max_size=6).map(" ".join)


@given(st.text())
def test_tidy_is_stable(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(greek_texts)
def test_case_accents_and_composition_do_not_matter(text: str) -> None:
    key = fold(text)
    assert fold(spell(text, "unaccented")) == key
    assert fold(text.upper()) == fold(spell(text, "capitals"))
    assert fold(unicodedata.normalize("NFD", text)) == key


@given(greek_texts)
def test_key_has_only_capitals_and_blanks(text: str) -> None:
    assert all(part.isascii() and part.isupper() for part in fold(text).split())


@given(st.text(max_size=200))
def test_any_text_has_a_key(text: str) -> None:
    assert isinstance(fold(text), str)


@pytest.mark.parametrize(
    ("greek", "others"),
    [
        ("θέλω να πεθάνω", ["thelo na pethano", "8elw na pe8anw", "THELO NA PETHANO", "9elo na pe9ano"]),
        ("δεν αντέχω άλλο", ["den antexo allo", "den antecho alo", "den adexo allo"]),
        ("ξέχασα τα χάπια", ["ksexasa ta xapia", "3exasa ta xapia", "ξεχασα τα χαπια"]),
        ("βοήθεια", ["voh8eia", "boh8eia", "bohtheia", "ΒΟΗΘΕΙΑ", "βοηθειααααα"]),
        ("αυτοκτονία", ["aftoktonia", "autoktonia", "aytoktonia", "αφτοκτονια"]),
        ("την ψυχή μου", ["tin psyxi mou", "thn 4yxh moy", "tin psichi mou"]),
        ("μπορώ", ["mporo", "boro", "mporw"]),
        ("άντρας", ["antras", "adras", "άνδρας", "andras"]),
    ],
)
def test_habits_meet_in_one_key(greek: str, others: list[str]) -> None:
    assert {fold(other) for other in others} == {fold(greek)}


@given(greek_words.filter(lambda word: len(word) > 3), st.sampled_from(["greeklish", "greeklish_digits"]))
def test_greeklish_keeps_the_consonants(word: str, spelling: str) -> None:
    """Whatever the vowels do, a Greeklish word stays near its Greek one: no exception, a key of its own."""
    assert readings(spell(word, spelling))


def test_look_alike_letters_are_put_right() -> None:
    assert words(tidy("ΘEΛΩ BOHΘEIA")) == ["θελω", "βοηθεια"]
    assert words(tidy("прοсох")) != []


def test_numbers_stay_numbers() -> None:
    assert fold("18χρονος") != fold("1θχρονος")
    assert fold("4 άτομα").split()[0] == "4"
    assert fold_word("2024") == "2024"


def test_habits_are_told_from_the_message() -> None:
    assert habit_of("ksexasa ta xapia").x == "H"
    assert habit_of("exasa ta hapia mou").x == "X"
    assert habit_of("8elw va pe8avw").v == "N"
    assert fold_word("va", Habit(v="N")) == fold_word("να")


def test_every_reading_of_an_ambiguous_word_is_offered() -> None:
    assert fold("ξέχασα") in readings("xexasa")
    assert fold("θέλω") in readings("uelw")


def test_spellings_are_deterministic() -> None:
    phrase = "Δεν έχουμε φαγητό στο σπίτι"
    for spelling in (*SPELLINGS, "run_together"):
        assert spell(phrase, spelling) == spell(phrase, spelling)
    assert greeklish(phrase, {"σ": "s"}).count("s") == 2
