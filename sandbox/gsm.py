"""How a text travels as SMS: alphabet and number of parts, since that decides cost and legibility.

GSM 7-bit holds only ten Greek capitals that Latin lacks; one accented letter makes the whole text UCS-2.
"""

from __future__ import annotations

from math import ceil

BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = set("^{}\\[~]|€\f")
GSM_ALONE, GSM_PART = 160, 153  # septets in a single SMS, in a part of a longer one
UCS_ALONE, UCS_PART = 70, 67  # UTF-16 units


def encoding_of(text: str) -> str:
    """ "GSM-7" or "UCS-2"."""
    return "GSM-7" if set(text) <= BASIC | EXTENDED else "UCS-2"


def segments_of(text: str) -> int:
    """How many SMS this text becomes; at least one."""
    if encoding_of(text) == "GSM-7":
        units, alone, part = sum(2 if char in EXTENDED else 1 for char in text), GSM_ALONE, GSM_PART
    else:
        units, alone, part = len(text.encode("utf-16-be")) // 2, UCS_ALONE, UCS_PART
    return 1 if units <= alone else ceil(units / part)
