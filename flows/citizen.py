"""What a citizen does: writes, taps, corrects, shares a place, a file, a number, or opens the chat."""

from __future__ import annotations

from flows import commands, danger, replies, run
from flows.events import AnswersAdded, Relayed
from flows.machine import Machine
from flows.match import choose
from flows.model import Collect
from flows.session import CasePhase, StimulusKind
from flows.slots import map_place

VOICES = frozenset({"voice", "audio", "video_note"})


def hear(m: Machine, lost: bool) -> None:
    """One stimulus of the citizen; `lost` where the session pointed nowhere."""
    kind, reading = m.stimulus.kind, m.stimulus.understood
    risk = str(reading.risk) if reading else "none"
    risk_kind = str(reading.risk_kind) if reading and reading.risk_kind else None
    m.entry = _entry(m)
    if m.case is not None and m.case.phase is CasePhase.joined:
        _relay(m, risk, risk_kind)
        return
    if m.case is not None and kind is not StimulusKind.opened:
        m.log(m.case.ref)
    commands.follow_language(m)
    if risk == "red" and not _answers_crisis(m):
        danger.red(m, risk_kind)
    elif risk == "amber" and danger.amber(m, risk_kind):
        return
    elif lost:
        m.common("lost")
        run.start(m, "welcome")
    else:
        _ACTIONS[kind](m)


def _entry(m: Machine) -> tuple[str, str] | None:
    stimulus = m.stimulus
    match stimulus.kind:
        case StimulusKind.opened:
            return None
        case StimulusKind.tapped:
            return "tapped", _label(m)
        case StimulusKind.located:
            return "location", map_place(stimulus.place) if stimulus.place else stimulus.text
        case StimulusKind.filed:
            return "file", stimulus.text or stimulus.file_kind or "file"
        case StimulusKind.edited:
            return "edited", stimulus.text
        case _:
            return "said", stimulus.text


def _label(m: Machine) -> str:
    """What the tapped button said: the channel's words, else the label of the open question."""
    value = m.stimulus.button or ""
    labels = {button.value: button.label for button in m.own_buttons()}
    return m.stimulus.text or labels.get(value) or value.removeprefix("@").rpartition("=")[2]


def _relay(m: Machine, risk: str, kind: str | None) -> None:
    if risk == "red":
        danger.joined_turned_red(m, kind)
    if m.case is not None and m.entry is not None:
        m.events.append(Relayed(m.case.ref, "responder", "citizen", m.entry[1]))


def _answers_crisis(m: Machine) -> bool:
    """ "I am not safe" answers the crisis question although it is a red message itself."""
    if not m.red_active or m.session.flow != danger.CRISIS or m.stimulus.kind is not StimulusKind.said:
        return False
    if choose(m.choices(), m.stimulus.text, m.stimulus.understood) is None:
        return False
    danger.search_again(m)
    return True


def _opened(m: Machine) -> None:
    if not m.session.greeted and m.session.flow is None:
        run.start(m, "welcome")


def _said(m: Machine) -> None:
    replies.text(m, m.stimulus.text)


def _tapped(m: Machine) -> None:
    if m.stimulus.button is None and m.stimulus.text.strip():
        replies.text(m, m.stimulus.text)
    else:
        replies.button(m, m.stimulus.button or "")


def _edited(m: Machine) -> None:
    """The flow is never run again over an old answer; danger was looked for before we came here."""
    if m.red_active:
        danger.hold(m)
    elif m.case is not None or m.session.flow is not None:
        m.common("edited_noted")


def _located(m: Machine) -> None:
    node = m.node
    if m.stimulus.place is None:
        replies.text(m, m.stimulus.text)
    elif isinstance(node, Collect) and (node.location or node.type == "place"):
        run.answer(m, map_place(m.stimulus.place), node.then)
    elif m.case is not None:
        m.common("location_received")
        m.pose()
    else:
        replies.not_understood(m)


def _filed(m: Machine) -> None:
    if m.red_active:
        danger.hold(m)
    elif m.stimulus.file_kind in VOICES:
        m.common("voice_received")
    else:
        m.common("file_received")
    if m.stimulus.text.strip() and not m.red_active:
        replies.text(m, m.stimulus.text)
    elif m.session.flow is None and not m.session.greeted:
        run.start(m, "welcome")
    elif not m.red_active:
        m.pose()


def _shared_phone(m: Machine) -> None:
    node = m.node
    if isinstance(node, Collect) and node.type == "phone":
        replies.text(m, m.stimulus.text)
    elif m.case is not None:
        m.events.append(AnswersAdded(m.case.ref, {"phone": m.stimulus.text}))
        m.common("phone_received")
        m.pose()
    else:
        replies.not_understood(m)


_ACTIONS = {
    StimulusKind.opened: _opened,
    StimulusKind.said: _said,
    StimulusKind.tapped: _tapped,
    StimulusKind.edited: _edited,
    StimulusKind.located: _located,
    StimulusKind.filed: _filed,
    StimulusKind.shared_phone: _shared_phone,
}
