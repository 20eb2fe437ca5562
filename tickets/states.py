"""The states of tickets and pages, and from where each may be reached."""

from __future__ import annotations

from enum import StrEnum

from store.moves import Moves


class TicketStatus(StrEnum):
    """open = nobody's yet; assigned = a responder has it; waiting = for the citizen or an office."""

    open = "open"
    assigned = "assigned"
    waiting = "waiting"
    closed = "closed"


TICKET_MOVES: Moves[TicketStatus] = {
    TicketStatus.open: {TicketStatus.assigned, TicketStatus.waiting, TicketStatus.closed},
    TicketStatus.assigned: {
        TicketStatus.open,
        TicketStatus.assigned,
        TicketStatus.waiting,
        TicketStatus.closed,
    },
    TicketStatus.waiting: {TicketStatus.open, TicketStatus.assigned, TicketStatus.closed},
    TicketStatus.closed: {TicketStatus.open},
}


class PageState(StrEnum):
    """needed -> ringing -> acknowledged -> contacted; exhausted is an alarm that goes on sounding."""

    needed = "needed"
    ringing = "ringing"
    acknowledged = "acknowledged"
    contacted = "contacted"
    exhausted = "exhausted"
    cancelled = "cancelled"


PAGE_MOVES: Moves[PageState] = {
    PageState.needed: {PageState.ringing, PageState.acknowledged, PageState.exhausted, PageState.cancelled},
    PageState.ringing: {PageState.ringing, PageState.acknowledged, PageState.exhausted, PageState.cancelled},
    PageState.exhausted: {PageState.ringing, PageState.acknowledged, PageState.cancelled, PageState.needed},
    PageState.acknowledged: {PageState.contacted, PageState.needed, PageState.cancelled},
    PageState.contacted: {PageState.cancelled},
    PageState.cancelled: set(),
}

PAGE_LIVE = frozenset({PageState.needed, PageState.ringing, PageState.acknowledged, PageState.exhausted})
"""A page in one of these still owes the citizen a human."""
