"""What a text or a tap means at the place where the citizen is: an answer, a command, a new request."""

from __future__ import annotations

from flows import commands, danger, run, words
from flows.events import Answer, Button
from flows.fold import plain
from flows.machine import Machine
from flows.match import SURE, choose
from flows.model import Ask, Change, Collect, Wait
from flows.slots import Limits, parse, too_long

FREE = frozenset({"text", "name", "place", "district"})
MISSES = 3
SMALL_TALK = frozenset({"greeting", "other", "yes", "no", "thanks", "goodbye", "human"})


def button(m: Machine, value: str) -> None:
    """A tap. A button of an older question changes nothing."""
    if value.startswith("@"):
        _engine_button(m, value.removeprefix("@"))
        return
    name, found, choice = value.rpartition("=")
    current = [option.value for option in m.choices()]
    if (found and name != m.session.node) or choice not in current:
        m.common("unknown_button")
        _again(m)
        return
    _choose(m, choice)


def _engine_button(m: Machine, command: str) -> None:
    answer, _, about = command.partition(":")
    if answer in {"yes", "no"} and m.session.proposed is not None and about in {"", m.session.proposed}:
        _settle(m, answer == "yes")
    elif command == "skip" and isinstance(m.node, Collect) and m.node.optional:
        run.answer(m, None, m.node.then)
    elif not commands.obey(m, command):
        m.common("unknown_button")
        _again(m)


def text(m: Machine, said: str) -> None:
    """Free text, in the order: commands, an open yes-or-no of the engine, the question, a new request."""
    command = words.command(said)
    tongue = words.language(said)
    if tongue is not None and commands.switch_language(m, tongue):
        return
    if command == "skip" and isinstance(m.node, Collect) and m.node.optional:
        run.answer(m, None, m.node.then)
    elif command is not None and commands.obey(m, command):
        return
    elif m.session.proposed is not None and (answer := _yes_no(m, said)) is not None:
        _settle(m, answer == "yes")
    else:
        m.put(proposed=None)
        _at_node(m, said)


def _yes_no(m: Machine, said: str) -> str | None:
    reading = m.stimulus.understood
    meant = (
        reading.intent if reading and reading.confidence >= SURE and reading.intent in {"yes", "no"} else None
    )
    return words.yes_or_no(said) or meant


def _settle(m: Machine, yes: bool) -> None:
    """The answer to switch_question or resume_question."""
    proposed = m.session.proposed
    m.put(proposed=None)
    if proposed == "@resume":
        if yes:
            run.resume(m)
        else:
            run.without_resumed(m)
            run.start(m, "welcome")
    elif yes and proposed is not None:
        m.park()
        run.start(m, proposed, _intent(m, proposed))
    else:
        m.pose()


def _intent(m: Machine, flow: str) -> str | None:
    """The intent that started a flow, where the reading still says it."""
    reading = m.stimulus.understood
    if reading is not None and m.library.intents.get(reading.intent) == flow:
        return str(reading.intent)
    found = m.library.flows.get(flow)
    return found.starts_on[0] if found and found.starts_on else None


def _at_node(m: Machine, said: str) -> None:
    match m.node:
        case Ask() | Change():
            choice = choose(m.choices(), said, m.stimulus.understood)
            if choice is not None:
                _choose(m, choice)
            elif not _human(m) and not _new_request(m) and not _small_talk(m):
                not_understood(m)
        case Collect() as node:
            _collect(m, node, said)
        case _:
            _idle(m, said)


def _choose(m: Machine, choice: str) -> None:
    node = m.node
    if isinstance(node, Change):
        run.change(m, choice)
    elif isinstance(node, Ask):
        run.answer(m, choice, node.options[choice])
    elif isinstance(node, Collect):
        run.answer(m, choice, node.then)


def _collect(m: Machine, node: Collect, said: str) -> None:
    if node.type in FREE and _clearly_human(m, said):
        commands.human(m)
        return
    value = _value(m, node, said)
    if value is not None:
        run.answer(m, value, node.then)
    elif node.optional and (words.yes_or_no(said) == "no" or words.declines(said)):
        run.answer(m, None, node.then)
    elif m.session.flow == danger.CRISIS:
        not_understood(m)
    elif not _human(m) and not _new_request(m):
        _miss(m)
        m.pose_invalid(node, "too_long" if too_long(node.type, said) else None)


def _value(m: Machine, node: Collect, said: str) -> Answer:
    limits = Limits(node.min, node.max, m.context.now.date())
    if node.type == "count" and node.min == 0 and words.yes_or_no(said) == "no":
        return 0
    return parse(node.type, said, limits)


def _clearly_human(m: Machine, said: str) -> bool:
    """Inside free text only a short, sure wish counts: a story may mention people."""
    reading = m.stimulus.understood
    short = len(plain(said).split()) <= 6
    return (
        short
        and reading is not None
        and reading.intent == "human"
        and reading.confidence >= m.context.switch_above
    )


def _human(m: Machine) -> bool:
    reading = m.stimulus.understood
    if reading is None or reading.intent != "human" or reading.confidence < SURE:
        return False
    commands.human(m)
    return True


def _new_request(m: Machine) -> bool:
    """Another request in the middle of a form is asked about; from the menu it simply starts."""
    reading = m.stimulus.understood
    flow = m.library.intents.get(reading.intent) if reading else None
    if reading is None or flow is None or flow == m.session.flow or m.session.flow == danger.CRISIS:
        return False
    if m.session.flow == "welcome" and reading.confidence >= m.context.start_above:
        m.leave("routed")
        run.start(m, flow, str(reading.intent))
        return True
    if reading.confidence < m.context.switch_above or m.session.flow == "welcome":
        return False
    m.put(proposed=flow)
    m.question("switch_question", flow=run.name_of(m, flow))
    return True


def _small_talk(m: Machine) -> bool:
    """A greeting or thanks at a question is answered in kind, not called a mistake."""
    reading = m.stimulus.understood
    if reading is None or reading.confidence < SURE or m.session.flow == danger.CRISIS:
        return False
    if reading.intent not in {"greeting", "thanks", "goodbye"}:
        return False
    if reading.intent != "greeting":
        m.common("thanks")
    if m.session.flow != "welcome" or reading.intent == "greeting":
        m.pose()
    return True


def not_understood(m: Machine) -> None:
    """A text that fits nothing here. In the crisis flow nobody is told so."""
    if m.red_active:
        danger.hold(m)
    elif m.session.flow == danger.CRISIS:
        m.crisis("heard")
        m.pose()
    elif not isinstance(m.node, Wait):
        _idle(m, "")
    else:
        m.common("not_understood")
        _miss(m)
        m.pose()


def _miss(m: Machine) -> None:
    m.put(misses=m.session.misses + 1)
    if m.session.misses % MISSES == 0:
        m.common("misses_offer_human")


def _again(m: Machine) -> None:
    """After an old button: the question that is open, or where there is none, what can be done now."""
    if m.session.proposed == "@resume":
        run.offer_resume(m)
    elif isinstance(m.node, Wait):
        m.put(proposed=None)
        m.pose()
    elif m.red_active:
        danger.hold(m)
    else:
        run.start(m, "welcome")


def _idle(m: Machine, said: str) -> None:
    """Nothing is under way: an intent begins a flow, the rest meets the menu, a case takes what is said."""
    reading = m.stimulus.understood
    intent = str(reading.intent) if reading and said.strip() else "other"
    sure = reading.confidence if reading else 0.0
    flow = m.library.intents.get(intent)
    if (
        flow is not None
        and sure >= (m.context.switch_above if m.red_active else m.context.start_above)
        and not (m.red_active and flow == danger.CRISIS)
    ):
        run.start(m, flow, intent)
    elif m.red_active:
        danger.hold(m)
    elif intent == "human" and sure >= SURE:
        commands.human(m)
    elif intent in {"thanks", "goodbye"} and sure >= m.context.start_above:
        m.common("thanks")
    elif m.case is not None and intent != "greeting":
        m.common("noted", (*_resume_button(m), m.button("menu"), m.button("human")), ref=m.case.ref)
    elif intent not in SMALL_TALK and sure >= SURE:
        m.common("no_flow", (m.button("human"), m.button("menu")))
    else:
        run.start(m, "welcome")


def _resume_button(m: Machine) -> tuple[Button, ...]:
    return (m.button("resume"),) if m.session.parked else ()
