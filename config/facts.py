"""Facts that a citizen may be told: what, from where, checked when, good until when, confirmed by whom.

An unconfirmed or expired fact is never sure; a verified phone may still be given as the way to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ANY_LANGUAGE = "*"


def _words(value: object) -> object:
    return {ANY_LANGUAGE: value} if isinstance(value, str) else value


Words = Annotated[
    dict[str, Annotated[str, Field(min_length=1)]], BeforeValidator(_words), Field(min_length=1)
]
"""A text by language; one plain string serves every language."""


def in_language(words: dict[str, str], language: str, default: str) -> str:
    """The text in `language`, else in `default`, else the one that there is."""
    for key in (language, ANY_LANGUAGE, default):
        if key in words:
            return words[key]
    return next(iter(words.values()))


class FactKind(StrEnum):
    """What sort of thing a fact is. Phones and hotlines can be dialled."""

    fact = "fact"
    phone = "phone"
    hotline = "hotline"
    place = "place"
    hours = "hours"
    amount = "amount"


@dataclass(frozen=True, slots=True)
class FactView:
    """One fact at one moment in one language. `sure` = confirmed by the municipality and not expired;
    `dialable` = a phone that was verified in its source, which may be given as the way to ask. `other` is
    the value by language, for texts whose language is known only later."""

    value: str
    sure: bool
    dialable: bool = False
    other: Mapping[str, str] = field(default_factory=dict)


class FactEntry(BaseModel):
    """One fact of facts.yaml. `expires` None = stays until somebody changes it (112 does not expire)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    value: Words
    kind: FactKind
    source: Annotated[str, Field(min_length=1)]
    checked: date
    expires: date | None = None
    verified: bool
    confirmed: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> FactEntry:
        if self.expires is not None and self.expires <= self.checked:
            raise ValueError("`expires` must be later than `checked`")
        if self.confirmed and not self.verified:
            raise ValueError("a fact that is confirmed must be `verified: true` too")
        return self

    @property
    def dialable(self) -> bool:
        """Verified phones stay dialable after their expiry: an old way to ask is better than none."""
        return self.verified and self.kind in (FactKind.phone, FactKind.hotline)

    def expired(self, today: date) -> bool:
        """Whether the last day on which this fact may be stated has passed."""
        return self.expires is not None and today > self.expires

    def view(self, today: date, language: str, default: str) -> FactView:
        """The fact as a citizen may be told it on that day."""
        sure = self.confirmed and not self.expired(today)
        other = {tongue: text for tongue, text in self.value.items() if tongue != ANY_LANGUAGE}
        return FactView(in_language(self.value, language, default), sure, self.dialable, other)
