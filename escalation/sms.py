"""The text of a page: a reference and a link, and nothing about the case or the citizen."""

from __future__ import annotations

from escalation.gsm7 import Alphabet, in_capitals

_WORDS = {
    "el": "Λιμάνι: σας χρειάζονται τώρα. Υπόθεση {ref}. Αναλάβετε εδώ: {link}",
    "en": "Limani: you are needed now. Case {ref}. Take it here: {link}",
}


def page_text(ref: str, link: str, language: str, alphabet: Alphabet) -> str:
    """What a responder reads."""
    text = _WORDS[language].format(ref=ref, link=link)
    return in_capitals(text) if alphabet is Alphabet.capitals else text
