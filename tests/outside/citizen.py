"""A citizen who answers whatever the bot asks, until a reference is given."""

from __future__ import annotations

import re
from typing import Any

from sandbox import Record

REF = re.compile(r"HRK-[3479ACDEFGHKMNPRTUXY]{4}")
_HUMAN = ("Θέλω άνθρωπο", "Talk to a person", "A person", "I want a person")
_ANSWERS = ("4", "Αγία Τριάδα", "6900000123", "Μαρία", "500", "όχι")


async def answer_until_ref(phone: Any, record: Record, most: int = 25) -> str:
    """Taps the first button of each question, or types answers until one is taken."""
    seen = 0
    for _ in range(most):
        shown = await record.until(
            lambda seen=seen: _asked(phone, seen),  # type: ignore[misc]
            5,
            lambda: f"the bot fell silent:\n{phone.screen}",
        )
        found = REF.search(" ".join(one.text for one in phone.screen if one.by == "bot"))
        if found:
            return found[0]
        seen = len(phone.screen)
        await _answer(phone, shown)
    raise AssertionError(f"no reference after {most} answers:\n{phone.screen}")


def _asked(phone: Any, seen: int) -> Any:
    """The newest message of the bot, once it shows buttons or a question."""
    fresh = [one for one in phone.screen[seen:] if one.by == "bot"]
    if not fresh:
        return None
    if REF.search(fresh[-1].text) or fresh[-1].labels or phone.keyboard or ";" in fresh[-1].text:
        return fresh[-1]
    return None


async def _answer(phone: Any, shown: Any) -> None:
    labels = [label for label in shown.labels if label not in _HUMAN]
    wanted = next((label for label in labels if label in ("Αποστολή", "Στείλτε το", "Send", "Send it")), None)
    if wanted or labels:
        await phone.taps(wanted or labels[0])
        return
    await phone.says(_ANSWERS[len(phone.screen) % len(_ANSWERS)])
