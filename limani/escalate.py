"""Puts the escalation room on the shared parts: for the server, and for what a responder does by command."""

from __future__ import annotations

from collections.abc import Callable

from bot.twilio import TwilioClient
from escalation.room import Escalation, Floor, open_escalation, read_duty
from limani.measured import MeasuredCarrier
from limani.parts import Parts


def make_escalation(
    parts: Parts, twilio: TwilioClient | None, refused: Callable[[str], object] = lambda _: None
) -> Escalation:
    """The room with the roster and policy of the settings, else of the profile. Raises FormError.
    `refused` counts requests with a wrong signature."""
    settings, profile = parts.settings, parts.profile
    roster, policy = settings.roster or profile.roster_path, settings.policy or profile.policy_path
    duty = read_duty(roster, policy, profile.zone, configured=twilio is not None)
    floor = Floor(parts.db, parts.bell, parts.clock, parts.ids, parts.vault, parts.record, parts.inbox)
    return open_escalation(
        floor,
        duty,
        twilio,
        settings.public_url,
        cps=settings.twilio_cps,
        refused=refused,
        measured=lambda carrier: MeasuredCarrier(carrier, parts.figures),
    )
