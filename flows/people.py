"""What humans do to a conversation: a responder takes the case, writes, goes, closes; nobody answers.

While a responder has the case the bot is silent and words are relayed both ways.
"""

from __future__ import annotations

from flows import cases, run
from flows.danger import CRISIS
from flows.events import HandoffEnded, HandoffStarted, Relayed
from flows.machine import Machine
from flows.session import Case, CasePhase, StimulusKind


def hear(m: Machine) -> None:
    """One stimulus of the human side. One for another ticket than the open case is told, not acted on."""
    match m.stimulus.kind:
        case StimulusKind.page_acknowledged:
            _acknowledged(m)
        case StimulusKind.page_exhausted:
            _exhausted(m)
        case StimulusKind.contact_missed:
            _missed(m)
        case StimulusKind.human_said:
            _said(m)
        case StimulusKind.handoff_ended:
            _handed_back(m)
        case StimulusKind.ticket_closed:
            _closed(m)
        case _:
            pass


def _ours(m: Machine) -> bool:
    return m.case is not None and m.stimulus.ref in {None, m.case.ref}


def _adopt(m: Machine) -> None:
    """A responder took a ticket that this conversation no longer had in mind; a red one is never dropped."""
    ref = m.stimulus.ref
    if ref is None or _ours(m) or (m.case is not None and m.case.risk == "red"):
        return
    topic = next((ticket.topic for ticket in m.context.tickets if ticket.ref == ref), "other")
    m.put(case=Case(ref, topic, "none", None, CasePhase.queued))


def _acknowledged(m: Machine) -> None:
    _adopt(m)
    if not _ours(m) or m.case is None or m.case.phase is CasePhase.joined:
        return
    _set_flow_aside(m)
    m.put_case(phase=CasePhase.joined)
    m.events.append(HandoffStarted(m.case.ref))
    if m.case.risk == "red":
        m.crisis("joined")
    else:
        m.common("human_joined")


def _set_flow_aside(m: Machine) -> None:
    m.put(proposed=None)
    if m.session.flow == CRISIS:
        m.leave("joined")
    elif m.session.flow in cases.NO_REQUEST:
        m.leave("preempted")
    else:
        m.park()


def _exhausted(m: Machine) -> None:
    if not _ours(m) or m.case is None or m.case.phase in {CasePhase.joined, CasePhase.exhausted}:
        return
    m.put_case(phase=CasePhase.exhausted)
    m.crisis("exhausted")


def _missed(m: Machine) -> None:
    if not _ours(m) or m.case is None or m.case.phase is not CasePhase.joined:
        return
    m.put_case(phase=CasePhase.ringing)
    m.crisis("contact_missed")


def _said(m: Machine) -> None:
    ref = m.stimulus.ref or (m.case.ref if m.case else "")
    if _ours(m) and m.case is not None and m.case.phase is not CasePhase.joined:
        # someone writes without having taken the case first: the talk has begun all the same
        _set_flow_aside(m)
        m.put_case(phase=CasePhase.joined)
        m.events.append(HandoffStarted(ref))
    m.events.append(Relayed(ref, "citizen", m.stimulus.by or "", m.stimulus.text))


def _handed_back(m: Machine) -> None:
    if not _ours(m) or m.case is None or m.case.phase is not CasePhase.joined:
        return
    m.events.append(HandoffEnded(m.case.ref))
    m.put_case(phase=CasePhase.queued)
    m.common("handed_back", ref=m.case.ref)
    run.offer_resume(m)


def _closed(m: Machine) -> None:
    case, ref = m.case, m.stimulus.ref
    if case is None or not _ours(m):
        m.common("closed", ref=ref or "")
        return
    if case.phase is CasePhase.joined:
        m.events.append(HandoffEnded(case.ref))
    if case.risk == "red":
        m.crisis("closed")
    else:
        m.common("closed", ref=case.ref)
    m.put(case=None, ref=None if m.session.ref == case.ref else m.session.ref)
    if m.session.flow == CRISIS:
        m.leave("closed")
    run.offer_resume(m)
