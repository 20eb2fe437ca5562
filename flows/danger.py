"""Red and amber: what comes before everything else a citizen's words may mean.

A form under way is put aside, never continued over a cry for help; it can be resumed later.
"""

from __future__ import annotations

from flows import cases, run
from flows.events import PageNeeded, RiskRaised
from flows.machine import Machine
from flows.session import CasePhase

CRISIS = "crisis"


def red(m: Machine, kind: str | None) -> None:
    """A life may be at stake: one page a case, and the crisis flow from its beginning."""
    case = m.case
    if case is not None and case.risk == "red" and case.phase is CasePhase.ringing:
        hold(m)
    elif case is not None and case.risk == "red" and case.phase is CasePhase.exhausted:
        search_again(m)
        hold(m)
    else:
        _enter(m, "red", kind, None)


def amber(m: Machine, kind: str | None) -> bool:
    """Asks and offers a human, once a case. False where that has been done or cannot be."""
    case, crisis = m.case, m.library.flows.get(CRISIS)
    if (case is not None and case.risk != "none") or crisis is None or crisis.start_amber is None:
        return False
    _enter(m, "amber", kind, crisis.start_amber)
    return True


def _enter(m: Machine, risk: str, kind: str | None, node: str | None) -> None:
    ref = m.session.ref
    cases.raise_risk(m, risk, kind)  # with the answers of the form, before it is put aside
    m.put(ref=ref, proposed=None)
    _leave_form(m)
    crisis = m.library.flows.get(CRISIS)
    if crisis is None:
        hold(m)
        return
    m.begin(CRISIS, node or crisis.start, m.case.topic if m.case else None)
    m.put(ref=m.case.ref if m.case else None)
    run.run(m)


def _leave_form(m: Machine) -> None:
    if m.session.flow in cases.NO_REQUEST:
        m.leave("preempted")
    else:
        m.park()


def search_again(m: Machine) -> None:
    """Nobody had answered, and the citizen is still in danger: people are rung once more."""
    if m.case is not None and m.case.phase is CasePhase.exhausted:
        cases.page(m)


def hold(m: Machine) -> None:
    """A short answer while a human is being looked for; the buttons of an open question stay."""
    exhausted = m.case is not None and m.case.phase is CasePhase.exhausted
    m.crisis("holding_exhausted" if exhausted else "holding", m.own_buttons())


def joined_turned_red(m: Machine, kind: str | None) -> None:
    """The responder is there already, but took a case that did not burn: others have to know too."""
    case = m.case
    if case is None or case.risk == "red":
        return
    m.put_case(risk="red", risk_kind=kind or case.risk_kind)
    m.events.append(RiskRaised(case.ref, "red", kind or case.risk_kind))
    m.events.append(PageNeeded(case.ref, "red", kind or case.risk_kind))
