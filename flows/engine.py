"""One stimulus -> one step. Pure: the same arguments give the same events, and nothing here raises.

Order: danger first, then the human who has the case, then words that work everywhere, then the flow.
"""

from __future__ import annotations

from flows import citizen, people, run
from flows.machine import CITIZEN, Machine
from flows.model import Ask, Collect, Library, Wait
from flows.session import Context, Parked, Session, Step, Stimulus, StimulusKind

__all__ = ["step"]


def step(library: Library, session: Session, stimulus: Stimulus, context: Context) -> Step:
    """What a stimulus does to a conversation, as a new session and the events that have to be made true.

    Never raises on any stimulus in any session: a session from before a deploy that points nowhere is led
    back to the menu and keeps its case. Visits at most 100 nodes.
    """
    machine = Machine(library, session, stimulus, context)
    lost = _mend(machine)
    if stimulus.kind is StimulusKind.timed_out:
        _timed_out(machine)
    elif stimulus.kind in CITIZEN:
        citizen.hear(machine, lost)
    else:
        people.hear(machine)
    return machine.finish()


def _mend(m: Machine) -> bool:
    """Forgets places that no longer exist. True where the citizen was in one."""
    m.put(parked=tuple(parked for parked in m.session.parked if _exists(m, parked)))
    if m.session.flow is None or isinstance(m.node, Wait):
        return False
    m.drop()
    return True


def _exists(m: Machine, parked: Parked) -> bool:
    return m.library.node(parked.flow, parked.node) is not None


def _timed_out(m: Machine) -> None:
    """Only the wait that is set counts; a stale token does nothing."""
    node, token = m.node, m.stimulus.token
    if token is None or token != m.before.wait:
        return
    m.rearm = True
    if isinstance(node, Ask | Collect) and node.timeout is not None:
        m.put(node=node.timeout.to, misses=0, proposed=None, returning=None)
        run.run(m)
