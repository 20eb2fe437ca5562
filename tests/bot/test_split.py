"""Texts are cut to a channel's measure without losing a letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.split import fit_label, split_text

LETTERS = st.sampled_from(list("αβγάέΐώςΩ abc.,;\n\n  😀👩‍👧🇬🇷é"))
TEXTS = st.text(LETTERS, max_size=400)


def solid(text: str) -> str:
    """A text without its blanks: those may be dropped at a cut."""
    return "".join(text.split())


@given(TEXTS, st.integers(2, 60))
def test_every_part_fits_and_no_letter_is_lost(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert solid("".join(parts)) == (solid(text) or "…")


@given(st.text(min_size=1, max_size=9000), st.sampled_from([700, 4096]))
def test_any_text_fits_the_real_channels(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert solid("".join(parts)) == (solid(text) or "…")


@given(TEXTS, st.integers(4096, 5000))
def test_what_fits_stays_whole(text: str, limit: int) -> None:
    assert split_text(text, limit) == [text.strip() or "…"]


def test_a_greek_text_is_cut_at_its_sentences() -> None:
    sentence = "Το συσσίτιο του Δήμου δίνει ένα ζεστό γεύμα κάθε μεσημέρι. "
    parts = split_text(sentence * 200, 4096)
    assert len(parts) == 3
    assert all(part.endswith("μεσημέρι.") for part in parts)


def test_a_paragraph_is_the_best_place_to_cut() -> None:
    first, second = "α" * 60 + ". β", "γ" * 60
    assert split_text(f"{first}\n\n{second}", 100) == [first, second]


def test_a_word_longer_than_the_measure_is_cut_anyway() -> None:
    assert split_text("ω" * 10_000, 4096) == ["ω" * 4096, "ω" * 4096, "ω" * 1808]


@pytest.mark.parametrize(("label", "fits"), [("Ναι", "Ναι"), ("Θέλω άνθρωπο τώρα", "Θέλω…"), ("", "")])
def test_labels_are_shortened_with_an_ellipsis(label: str, fits: str) -> None:
    assert fit_label(label, 6) == fits
