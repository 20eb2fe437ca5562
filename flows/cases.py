"""Tickets as flows make them: opened, added to, raised, queued for a human, paged.

Every action may run twice without harm, because a changed answer replays a flow.
"""

from __future__ import annotations

from flows.events import Answer, AnswersAdded, HumanRequested, PageNeeded, RiskRaised, TicketOpened
from flows.machine import Machine
from flows.model import Collect
from flows.session import Case, CasePhase

LEVELS = {"none": 0, "amber": 1, "red": 2}
TOPIC_OF_KIND = {
    "suicide": "psych_support",
    "self_harm": "psych_support",
    "violence": "violence",
    "child": "child_protection",
    "threat": "violence",
    "medical": "medical_emergency",
}
NO_REQUEST = frozenset({"welcome", "common", "crisis"})
NO_TOPIC = frozenset({"greeting", "thanks", "goodbye", "other"})  # they begin the menu, and no case


def topic_of(m: Machine) -> str:
    """The intent under which a ticket of the flow under way is filed."""
    flow, topic = m.flow, m.session.topic
    if flow is None or flow.name in NO_REQUEST:
        return topic if topic and topic not in NO_TOPIC else "human"
    if flow.topic != "intent":
        return flow.topic
    chosen = next((v for v in m.session.answers.values() if v in m.library.intents), None)
    return topic or (str(chosen) if chosen else flow.name if flow.name in flow.starts_on else "other")


def given(m: Machine) -> dict[str, Answer]:
    """The answers so far, without questions that were skipped."""
    return {slot: value for slot, value in m.session.answers.items() if value is not None}


def _district(m: Machine) -> str | None:
    nodes = m.flow.nodes.values() if m.flow else ()
    slots = [node.slot for node in nodes if isinstance(node, Collect) and node.type == "district"]
    value = next((m.session.answers[slot] for slot in slots if m.session.answers.get(slot)), None)
    return str(value) if value is not None else None


def open_ticket(m: Machine, topic: str, risk: str = "none", kind: str | None = None) -> None:
    """Opens a ticket; within one run of a flow, or a second time in one step, adds the answers instead."""
    opened = any(isinstance(event, TicketOpened) for event in m.events)
    if m.session.ref is not None or (opened and m.case is not None):
        add_answers(m)
        return
    if opened:
        return
    ref = m.context.ref
    m.events.append(TicketOpened(ref, topic, risk, kind, given(m), _district(m)))
    m.log(ref)
    m.put(ref=ref)
    # a case that may be about a life stays the case of the conversation
    if m.case is None or LEVELS[m.case.risk] <= LEVELS[risk]:
        m.put(case=Case(ref, topic, risk, kind, CasePhase.queued))


def add_answers(m: Machine) -> None:
    """The answers so far go to the ticket of this flow, else to the open case."""
    ref = m.session.ref or (m.case.ref if m.case else None)
    if ref is not None and given(m):
        m.events.append(AnswersAdded(ref, given(m)))


def request_human(m: Machine) -> str:
    """Puts the ticket of this flow, the open case or a new ticket into the queue. Returns its ref."""
    if m.session.ref is None and m.case is None:
        open_ticket(m, topic_of(m))
    else:
        add_answers(m)
    ref = m.session.ref or (m.case.ref if m.case else m.context.ref)
    m.events.append(HumanRequested(ref))
    return ref


def raise_risk(m: Machine, risk: str, kind: str | None) -> None:
    """Makes the open case at least this dangerous, opening a ticket if there is none. Red pages."""
    was_searching = m.red_active and m.case is not None and m.case.phase is not CasePhase.exhausted
    if m.case is None:
        m.put(ref=None)
        topic = topic_of(m) if m.flow and m.flow.name not in NO_REQUEST else "psych_support"
        open_ticket(m, TOPIC_OF_KIND.get(kind or "", topic), risk, kind)
    elif LEVELS[m.case.risk] < LEVELS.get(risk, 0):
        m.put_case(risk=risk, risk_kind=kind or m.case.risk_kind)
        m.events.append(RiskRaised(m.case.ref, risk, kind or m.case.risk_kind))
    if risk == "red" and not was_searching:
        page(m)


def page(m: Machine) -> None:
    """A human has to be found now; with nobody on call the citizen hears that at once."""
    if m.case is None:
        return
    if m.case.phase is not CasePhase.joined:
        m.put_case(phase=CasePhase.ringing if m.context.on_call else CasePhase.exhausted)
    m.events.append(PageNeeded(m.case.ref, m.case.risk, m.case.risk_kind))
