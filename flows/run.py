"""Walks the nodes of a flow until the citizen has to answer or the flow ends.

One small function a verb; each returns the next node, or None to stop here.
"""

from __future__ import annotations

from flows import cases, rules
from flows.eligibility import ELIGIBILITY
from flows.events import Answer, FlowEnded, FlowStarted
from flows.machine import Machine
from flows.model import Ask, Change, Check, Collect, Do, End, Enter, Flow, Go, Say
from flows.render import answered


def start(m: Machine, name: str, topic: str | None = None) -> None:
    """Begins a flow, introducing the bot first where the welcome was skipped, and walks it."""
    flow = m.library.flows.get(name)
    if flow is None:
        return
    if not m.session.greeted and name not in cases.NO_REQUEST:
        m.common("hello")
    node = flow.start_again if m.session.greeted and flow.start_again else flow.start
    m.begin(name, node, topic)
    run(m)


def run(m: Machine) -> None:
    """Goes on from the node under way. At most 100 nodes a step: a loop of texts ends here."""
    while m.session.flow is not None:
        m.budget -= 1
        if m.budget < 0:
            m.leave("abandoned")
            return
        following = _visit(m)
        if following is None:
            return
        m.put(node=following, misses=0)


def answer(m: Machine, value: Answer, to: str) -> None:
    """Keeps an answer of the node under way and walks on from `to`."""
    slot = getattr(m.node, "slot", None)
    if slot:
        m.put(answers={**m.session.answers, slot: value})
    m.put(trail=_extended(m), node=to, misses=0, proposed=None)
    run(m)


def change(m: Machine, slot: str) -> None:
    """One answer is forgotten and the flow replayed from its question up to where `change` returns to:
    answers that still stand are not asked again, and a branch no longer taken loses its answers."""
    node, flow = m.node, m.flow
    name = dict(answered(flow, m.session)).get(slot) if flow else None
    if not isinstance(node, Change) or flow is None or name is None:
        return
    answers = {key: value for key, value in m.session.answers.items() if key != slot}
    before = m.session.trail[: m.session.trail.index(name)]
    m.put(answers=answers, trail=before, returning=f"{flow.name}.{node.then}", node=name, misses=0)
    run(m)


def back(m: Machine) -> None:
    """To the question before this one; its answer is forgotten."""
    if m.session.trail:
        *trail, last = m.session.trail
        slots = {
            getattr(m.library.node(m.session.flow, name), "slot", None) for name in (last, m.session.node)
        }
        answers = {slot: value for slot, value in m.session.answers.items() if slot not in slots}
        m.put(node=last, trail=tuple(trail), answers=answers, misses=0, returning=None)
        run(m)
    elif m.session.parked and m.session.parked[-1].returns:
        shared = m.session.answers
        m.unpark()
        m.put(answers={**shared, **m.session.answers})
        back(m)
    else:
        m.common("nothing_back")
        m.pose()


def _extended(m: Machine) -> tuple[str, ...]:
    """The trail with this node at its end; a node met again cuts the loop off."""
    name, trail = m.session.node, m.session.trail
    if name is None:
        return trail
    return (*(trail[: trail.index(name)] if name in trail else trail), name)


def _visit(m: Machine) -> str | None:
    node, flow = m.node, m.flow
    if m.session.returning == f"{m.session.flow}.{m.session.node}":
        _arrive(m)
    match node:
        case None:
            m.drop()
            return None
        case Say():
            if m.session.returning is None:
                m.say(f"{m.session.flow}.{node.text}")
            return node.then
        case Ask() | Collect():
            return _wait(m, node)
        case Change():
            return _offer_changes(m, node)
        case Go():
            return next(
                r.to for r in node.routes if r.predicate is None or rules.holds(r.predicate, m.situation)
            )
        case Check():
            return _check(m, node)
        case Do():
            return _do(m, node)
        case Enter():
            return _enter(m, node)
        case End():
            return _end(m, node, flow)


def _wait(m: Machine, node: Ask | Collect) -> str | None:
    if m.session.returning is not None and node.slot is not None and node.slot in m.session.answers:
        value = m.session.answers[node.slot]
        to = node.options.get(str(value)) if isinstance(node, Ask) else node.then
        if to is not None:
            m.put(trail=_extended(m))
            return to
    if m.session.node in m.session.trail:
        m.put(trail=m.session.trail[: m.session.trail.index(m.session.node)])
    m.pose()
    return None


def _arrive(m: Machine) -> None:
    """The replay is over: answers of questions that this way does not ask are dropped."""
    flow = m.flow
    if flow is None:
        return
    asked = {getattr(flow.nodes.get(name), "slot", None) for name in m.session.trail}
    own = {getattr(node, "slot", None) for node in flow.nodes.values()}
    kept = {slot: value for slot, value in m.session.answers.items() if slot in asked or slot not in own}
    m.put(answers=kept, returning=None)


def _offer_changes(m: Machine, node: Change) -> str | None:
    if not m.choices():
        m.common("nothing_to_change")
        return node.then
    m.pose()
    return None


def _check(m: Machine, node: Check) -> str | None:
    """The verdict lives in this step's texts only (docs/flows.md says why)."""
    verdict = ELIGIBILITY[node.rule](m.session.answers)
    language = m.session.language
    reasons = [m.library.text(f"{m.session.flow}.because_{name}", language) for name in verdict.because]
    day = verdict.rule_date
    m.extra = {
        **m.extra,
        "because": "\n".join(reason for reason in reasons if reason),
        "rule_date": f"{day.day}/{day.month}/{day.year}",
    }
    return node.then.get(verdict.outcome)


def _do(m: Machine, node: Do) -> str | None:
    match node.action:
        case "open_ticket":
            cases.open_ticket(m, cases.topic_of(m))
        case "request_human":
            cases.request_human(m)
        case "add_answers":
            cases.add_answers(m)
        case "page":
            cases.raise_risk(m, "red", node.kind)
        case "raise_risk":
            cases.raise_risk(m, node.risk or "red", node.kind)
        case "resume":
            return _resume_here(m, node)
        case _:
            pass
    return node.then


def _resume_here(m: Machine, node: Do) -> str | None:
    if not m.session.parked or m.session.parked[-1].returns:
        return node.then
    if m.session.flow is not None:
        m.events.append(FlowEnded(m.session.flow, "resumed"))
    resume(m)
    return None


def resume(m: Machine) -> None:
    """Takes up the parked flow where it was left."""
    if m.unpark() is not None:
        run(m)


def owns_ticket(flow: Flow) -> bool:
    """A flow that opens a ticket keeps its answers to itself; others share those of their caller."""
    return any(isinstance(node, Do) and node.action == "open_ticket" for node in flow.nodes.values())


def _enter(m: Machine, node: Enter) -> str | None:
    flow, caller = m.library.flows[node.flow], m.session
    m.park(node=node.then, returns=True)
    m.put(flow=flow.name, node=flow.start)
    m.events.append(FlowStarted(flow.name))
    if not owns_ticket(flow):
        m.put(answers=caller.answers, topic=caller.topic, ref=caller.ref, returning=caller.returning)
    run(m)
    return None


def _end(m: Machine, node: End, flow: Flow | None) -> str | None:
    ended = m.session
    m.events.append(FlowEnded(ended.flow or "", node.outcome))
    m.drop()
    if m.session.parked and m.session.parked[-1].returns:
        m.unpark()
        if flow is not None and not owns_ticket(flow):
            m.put(answers={**m.session.answers, **ended.answers}, ref=ended.ref, returning=ended.returning)
        run(m)
    else:
        offer_resume(m)
    return None


def offer_resume(m: Machine) -> None:
    """Asks whether a parked form should go on; never while a human is being looked for in a red case."""
    if m.red_active or m.session.flow is not None:
        return
    m.forget_callers()
    parked = m.session.parked
    if not parked:
        return
    top = parked[-1]
    if m.library.node(top.flow, top.node) is None:
        m.put(parked=parked[:-1])
        offer_resume(m)
        return
    m.put(proposed="@resume")
    m.question("resume_question", flow=name_of(m, top.flow))


def name_of(m: Machine, flow: str) -> str:
    """What a question calls a flow."""
    text = m.library.text(f"{flow}.name", m.session.language)
    return text or flow.replace("_", " ")


def without_resumed(m: Machine) -> None:
    """The citizen does not want the parked form back."""
    m.put(parked=m.session.parked[:-1], proposed=None)
    m.forget_callers()
