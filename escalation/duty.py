"""What holds now: the roster, the policy, and whether a phone can be rung at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from escalation.policy import Policy, reaches_anybody
from escalation.roster import Roster

MEANS = frozenset({"voice", "sms"})


@dataclass(slots=True)
class Duty:
    """`configured`: there is a telephone provider. `refused`: it turns all our requests down (a wrong
    token, a closed account), so nobody may be promised a call until one of them works again."""

    roster: Roster
    policy: Policy
    configured: bool
    refused: bool = False

    @property
    def usable(self) -> frozenset[str]:
        """The means by which people can be rung here."""
        return MEANS if self.configured else frozenset()

    def on_call_now(self, now: datetime) -> bool:
        """Whether a citizen may be told that somebody is being called."""
        return not self.refused and reaches_anybody(self.policy, self.roster, self.usable, now)

    def phone(self, person: str) -> str | None:
        """The number of a roster key, None if there is none (any more)."""
        known = self.roster.people.get(person)
        return None if known is None else known.phone

    def language(self, person: str) -> str:
        """The language to speak to a roster key: Greek or English."""
        known = self.roster.people.get(person)
        spoken = known.languages if known else ()
        return next((language for language in spoken if language in ("el", "en")), "el")

    def name(self, person: str) -> str:
        """How to call a roster key to a colleague."""
        known = self.roster.people.get(person)
        return known.name if known else person

    def is_supervisor(self, person: str) -> bool:
        """Whether a roster key may act on everybody's tickets."""
        known = self.roster.people.get(person)
        return known is not None and known.role == "supervisor"
