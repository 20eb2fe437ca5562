"""Words that mean the same everywhere."""

from __future__ import annotations

import pytest

from flows import words


@pytest.mark.parametrize(
    ("text", "declines"),
    [
        ("den exo tilefono", True),
        ("Δεν έχω", True),
        ("Δεν θέλω να πω", True),
        ("I don't have a phone", True),
        ("6900000001", False),
        ("δεν έχω σπίτι και μένω στην Ανεμώνης με τα παιδιά", False),
    ],
)
def test_who_has_nothing_to_answer_may_say_so(text: str, declines: bool) -> None:
    assert words.declines(text) is declines
