"""A few ready answers, in the citizen's language: a start to change, never sent by themselves."""

from __future__ import annotations

from collections.abc import Mapping

_READY: Mapping[str, tuple[str, ...]] = {
    "el": (
        "Γεια σας, είμαι κοινωνικός λειτουργός του Δήμου. Διάβασα όσα γράψατε και είμαι εδώ.",
        "Είστε ασφαλείς αυτή τη στιγμή;",
        "Πού βρίσκεστε τώρα;",
        "Σε ποιο τηλέφωνο μπορώ να σας καλέσω;",
        "Χρειάζομαι λίγα λεπτά για να ρωτήσω. Θα σας γράψω εδώ.",
        "Αν κινδυνεύετε τώρα, καλέστε το 112.",
    ),
    "en": (
        "Hello, I am a social worker of the municipality. I have read what you wrote and I am here.",
        "Are you safe right now?",
        "Where are you now?",
        "On which phone number can I call you?",
        "I need a few minutes to ask. I will write to you here.",
        "If you are in danger now, call 112.",
    ),
}


def canned(language: str) -> tuple[str, ...]:
    """The ready answers for somebody who writes in this language; English where we have none."""
    return _READY.get(language, _READY["en"])
