"""Stand-ins of Telegram, Viber and Twilio that speak their real HTTP on a loopback port.

The demo, the transcripts and the tests all drive the product through them; they import nothing of ours,
so what they check is the wire and not our own idea of it.
"""

from __future__ import annotations

from sandbox.faults import Fault
from sandbox.record import Record
from sandbox.telegram import TelegramStandIn
from sandbox.twilio import TwilioStandIn
from sandbox.viber import ViberStandIn

__all__ = ["Fault", "Record", "TelegramStandIn", "TwilioStandIn", "ViberStandIn"]
