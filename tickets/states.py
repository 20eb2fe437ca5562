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


TICKET_ALIVE = (TicketStatus.open, TicketStatus.assigned, TicketStatus.waiting)
"""Not closed, said in a way that an index answers."""


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
    PageState.exhausted: {PageState.exhausted, PageState.acknowledged, PageState.cancelled, PageState.needed},
    PageState.acknowledged: {PageState.contacted, PageState.needed, PageState.cancelled},
    PageState.contacted: {PageState.cancelled},
    PageState.cancelled: set(),
}

PAGE_LIVE = frozenset({PageState.needed, PageState.ringing, PageState.acknowledged, PageState.exhausted})
"""A page in one of these still owes the citizen a human."""


class AttemptState(StrEnum):
    """One try to reach one person by one means. due and sending are our own affair, the rest is told.

    unknown = the request was written and no answer came: a call may exist; unanswered = its time is over."""

    due = "due"
    sending = "sending"
    ringing = "ringing"
    unknown = "unknown"
    acknowledged = "acknowledged"
    declined = "declined"
    unanswered = "unanswered"
    busy = "busy"
    failed = "failed"
    machine = "machine"
    cancelled = "cancelled"


_ENDS = {
    AttemptState.acknowledged,
    AttemptState.declined,
    AttemptState.unanswered,
    AttemptState.busy,
    AttemptState.failed,
    AttemptState.machine,
    AttemptState.cancelled,
}

ATTEMPT_MOVES: Moves[AttemptState] = {
    AttemptState.due: {AttemptState.sending, AttemptState.failed, AttemptState.cancelled},
    AttemptState.sending: {AttemptState.due, AttemptState.ringing, AttemptState.unknown, *_ENDS},
    AttemptState.unknown: {AttemptState.ringing, *_ENDS},
    AttemptState.ringing: {*_ENDS},
    # A key or a link still counts when the step is over, or when a human was taken for a machine.
    AttemptState.unanswered: {AttemptState.acknowledged},
    AttemptState.machine: {AttemptState.acknowledged},
    AttemptState.failed: {AttemptState.acknowledged},
    AttemptState.declined: set(),
    AttemptState.busy: set(),
    AttemptState.cancelled: set(),
    AttemptState.acknowledged: set(),
}

ATTEMPT_ALIVE = frozenset(
    {AttemptState.due, AttemptState.sending, AttemptState.ringing, AttemptState.unknown}
)
"""An attempt in one of these may still bring an answer."""


def outcome_of(state: str) -> str:
    """An attempt's state as others are told it: what is about to be sent counts as ringing."""
    return AttemptState.ringing if state in (AttemptState.due, AttemptState.sending) else state
