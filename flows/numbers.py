"""Numbers that people write as words, in Greek, Greeklish and English: "τέσσερα", "tria", "twenty one"."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from flows.fold import sound

_WORDS: dict[int, str] = {
    0: "μηδέν κανένα κανένας καμία κανείς zero none",
    1: "ένα ένας μία μια έναν one alone μόνος μόνη",
    2: "δύο δυο two",
    3: "τρία τρεις three",
    4: "τέσσερα τέσσερις τέσσερεις four",
    5: "πέντε five",
    6: "έξι six",
    7: "επτά εφτά seven",
    8: "οκτώ οχτώ eight",
    9: "εννέα εννιά nine",
    10: "δέκα ten",
    11: "έντεκα ένδεκα eleven",
    12: "δώδεκα twelve",
    13: "δεκατρία δεκατρείς thirteen",
    14: "δεκατέσσερα δεκατέσσερις fourteen",
    15: "δεκαπέντε fifteen",
    16: "δεκαέξι sixteen",
    17: "δεκαεπτά δεκαεφτά seventeen",
    18: "δεκαοκτώ δεκαοχτώ eighteen",
    19: "δεκαεννέα δεκαεννιά nineteen",
    20: "είκοσι twenty",
    30: "τριάντα thirty",
    40: "σαράντα forty",
    50: "πενήντα fifty",
    60: "εξήντα sixty",
    70: "εβδομήντα seventy",
    80: "ογδόντα eighty",
    90: "ενενήντα ninety",
    100: "εκατό hundred",
    200: "διακόσια",
    300: "τριακόσια",
    400: "τετρακόσια",
    500: "πεντακόσια",
    600: "εξακόσια",
    700: "επτακόσια εφτακόσια",
    800: "οκτακόσια οχτακόσια",
    900: "εννιακόσια",
    1000: "χίλια thousand",
}


@lru_cache(maxsize=1)
def _table() -> dict[str, int]:
    return {sound(word): value for value, words in _WORDS.items() for word in words.split()}


def number_word(text: str) -> int | None:
    """The one number that a short text says in words; None where it says none or two different ones.

    "τριάντα δύο" is 32, "είμαστε τέσσερις" is 4, "ένα ή δύο" is none.
    """
    tokens = [sound(token) for token in text[:200].replace("-", " ").split()]
    groups: list[list[int]] = [[]]
    for token in tokens:
        value = _table().get(token)
        if value is None:
            groups.append([])
        else:
            groups[-1].append(value)
    sums = {_sum(group) for group in groups if group}
    return sums.pop() if len(sums) == 1 else None


def _sum(values: list[int]) -> int | None:
    total = values[0]
    for before, value in pairwise(values):
        if value in {100, 1000} and before < 10:  # "two hundred"
            total += value * before - before
        elif value >= before or before < 20:  # "two three" is no number
            return None
        else:
            total += value
    return total
