"""Whatever happens, in whatever order: the engine answers, red pages, and a person can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import session_json
from flows.engine import step
from flows.events import (
    Asked,
    EntryAdded,
    HumanRequested,
    PageNeeded,
    Relayed,
    RiskRaised,
    Said,
    TicketOpened,
    WaitSet,
)
from flows.load import load_library
from flows.model import Ask, Change, Collect, Library
from flows.session import Case, CasePhase, Context, Parked, Session, Stimulus, StimulusKind
from flows.walk import HUMAN_SIDE, Heard, Walked, walk
from tests.flows.small import NOW

REAL = load_library()
CONTEXT = Context(NOW, "HRK-NEW1", {}, on_call=True, office_open=True)
RED = Heard(risk="red", risk_kind="suicide")
GENTLE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["ναι", "1", "4", "πίσω", "στοπ", "άνθρωπο", "english", "6900000001"]),
)
readings = st.one_of(
    st.none(),
    st.builds(
        Heard,
        language=st.sampled_from(["el", "en", "uk", "ar", "xx"]),
        script=st.sampled_from(["greek", "latin", "greeklish", "arabic"]),
        intent=st.sampled_from([*REAL.intents, "human", "yes", "no", "other", "thanks", "nonsense"]),
        confidence=st.floats(0, 1),
        risk=st.sampled_from(["none", "none", "none", "amber", "red"]),
        risk_kind=st.sampled_from([None, "suicide", "violence", "child", "strange"]),
    ),
)
own_buttons = ["@human", "@back", "@menu", "@stop", "@lang:en", "@lang:zz", "@yes", "@no", "@skip", "@resume"]
choices = [
    f"{name}={value}"
    for flow in REAL.flows.values()
    for name, node in flow.nodes.items()
    if isinstance(node, Ask)
    for value in node.options
]
buttons = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(own_buttons), st.sampled_from(choices))
stimuli = st.builds(
    Stimulus,
    kind=st.sampled_from(list(StimulusKind)),
    text=words,
    understood=readings,
    button=buttons,
    by=st.sampled_from([None, "eleni"]),
    ref=st.sampled_from([None, "HRK-OLD1", "HRK-NEW1", "HRK-XXXX"]),
    token=st.one_of(st.none(), st.text(max_size=5)),
    place=st.one_of(st.none(), st.just((35.3, 25.1))),
    file_kind=st.sampled_from([None, "voice", "photo"]),
)
places = [(flow.name, node) for flow in REAL.flows.values() for node in flow.nodes]
spots = st.one_of(st.just((None, None)), st.sampled_from(places), st.just(("gone", "gone")))
answers = st.dictionaries(
    st.sampled_from(["for_whom", "people", "phone", "kind", "topic"]),
    st.one_of(st.none(), st.integers(0, 9), st.text(max_size=5)),
    max_size=3,
)
parked = st.builds(
    lambda spot, given, returns: Parked(spot[0], spot[1], given, (spot[1],), returns=returns),
    st.sampled_from([*places, ("gone", "gone")]),
    answers,
    st.booleans(),
)
cases = st.one_of(
    st.none(),
    st.builds(
        Case,
        ref=st.just("HRK-OLD1"),
        topic=st.just("food_aid"),
        risk=st.sampled_from(["none", "amber", "red"]),
        risk_kind=st.sampled_from([None, "violence"]),
        phase=st.sampled_from(list(CasePhase)),
    ),
)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Any session, sensible or not: as another release, or a bug, might have left it."""
    flow, node = draw(spots)
    return Session(
        language=draw(st.sampled_from(["el", "en", "uk", "zz"])),
        greeted=draw(st.booleans()),
        flow=flow,
        node=node,
        answers=draw(answers),
        trail=tuple(draw(st.lists(st.sampled_from([name for _, name in places]), max_size=3))),
        parked=tuple(draw(st.lists(parked, max_size=3))),
        case=draw(cases),
        proposed=draw(st.sampled_from([None, "@resume", "food_aid", "gone"])),
        returning=draw(st.sampled_from([None, "food_aid.summary", "gone.gone"])),
        misses=draw(st.integers(0, 4)),
        wait=draw(st.sampled_from([None, "token"])),
        ref=draw(st.sampled_from([None, "HRK-OLD1"])),
    )


def sound_step(session: Session, stimulus: Stimulus, context: Context) -> Walked:
    """One step with everything that must hold of any step."""
    result = step(REAL, session, stimulus, context)
    assert session_json.loads(session_json.dumps(result.session)) == result.session
    assert step(REAL, session, stimulus, context) == result, "a step is a pure function"
    shown = [event for event in result.events if isinstance(event, Said | Asked)]
    assert all(event.text.strip() for event in shown)
    assert all("{" not in event.text or "{" in stimulus.text for event in shown)
    assert len([event for event in result.events if isinstance(event, TicketOpened)]) <= 1
    assert len([event for event in result.events if isinstance(event, WaitSet)]) <= 1
    assert (result.session.flow is None) == (result.session.node is None)
    return Walked(session, stimulus, context, result)


@GENTLE
@given(sessions(), stimuli, st.booleans(), st.booleans())
def test_no_stimulus_in_no_session_raises(
    session: Session, stimulus: Stimulus, on_call: bool, office_open: bool
) -> None:
    sound_step(session, stimulus, replace(CONTEXT, on_call=on_call, office_open=office_open))


@GENTLE
@given(st.lists(stimuli, min_size=1, max_size=12))
def test_no_conversation_raises(conversation: list[Stimulus]) -> None:
    session = Session()
    for number, stimulus in enumerate(conversation):
        context = replace(CONTEXT, ref=f"HRK-{number:04}")
        session = sound_step(session, stimulus, context).result.session


@GENTLE
@given(
    sessions(),
    st.sampled_from([StimulusKind.said, StimulusKind.edited, StimulusKind.filed, StimulusKind.shared_phone]),
    words,
    st.booleans(),
)
def test_red_in_any_state_is_paged_or_already_being_answered(
    session: Session, kind: StimulusKind, text: str, on_call: bool
) -> None:
    context = replace(CONTEXT, on_call=on_call)
    events = step(REAL, session, Stimulus(kind, text, RED), context).events
    case = session.case
    if case is not None and case.risk == "red" and case.phase in {CasePhase.ringing, CasePhase.joined}:
        kept = [event for event in events if isinstance(event, EntryAdded | Relayed)]
        assert any(event.ref == case.ref for event in kept)
        return
    assert any(isinstance(event, PageNeeded) for event in events)
    known = case is not None and case.risk == "red"
    assert known or any(isinstance(event, TicketOpened | RiskRaised) for event in events)
    silent = case is not None and case.phase is CasePhase.joined
    assert silent or any(isinstance(event, Said | Asked) and event.urgent for event in events)


@GENTLE
@given(sessions(), words)
def test_no_word_for_an_open_case_is_lost(session: Session, text: str) -> None:
    case = session.case
    if case is None:
        return
    events = step(REAL, session, Stimulus(StimulusKind.said, text, Heard()), CONTEXT).events
    logged = [event for event in events if isinstance(event, EntryAdded | Relayed) and event.ref == case.ref]
    assert [event.text for event in logged] == [text]


@GENTLE
@given(sessions(), stimuli)
def test_the_bot_is_silent_while_a_responder_has_the_case(session: Session, stimulus: Stimulus) -> None:
    case = Case("HRK-OLD1", "food_aid", "none", None, CasePhase.joined)
    if stimulus.kind in HUMAN_SIDE or stimulus.kind is StimulusKind.timed_out:
        return
    events = step(REAL, replace(session, case=case, flow=None, node=None), stimulus, CONTEXT).events
    assert not [event for event in events if isinstance(event, Said | Asked)]


def waits(library: Library) -> Iterator[tuple[str, str]]:
    for flow in library.flows.values():
        for name, node in flow.nodes.items():
            if isinstance(node, Ask | Collect | Change):
                yield flow.name, name


@pytest.mark.parametrize("language", ["el", "en", "sq", "ar"])
@pytest.mark.parametrize(("flow", "node"), list(waits(REAL)))
def test_a_person_can_be_asked_for_everywhere(flow: str, node: str, language: str) -> None:
    session = Session(language=language, language_chosen=True, greeted=True, flow=flow, node=node)
    for text in ("άνθρωπο", "human", "njeri", "إنسان"):
        events = step(REAL, session, Stimulus(StimulusKind.said, text, Heard()), CONTEXT).events
        assert any(isinstance(event, HumanRequested) for event in events)
        assert any(isinstance(event, Said) for event in events)


@pytest.mark.parametrize("seed", range(60))
def test_walks_end_or_wait(seed: int) -> None:
    for walked in walk(REAL, seed, 60, NOW, ("el", "en", "sq")[seed % 3]):
        after = walked.result.session
        node = REAL.node(after.flow, after.node)
        assert after.flow is None or isinstance(node, Ask | Collect | Change)
        if after.flow is not None and not isinstance(node, Change) and after.wait is None:
            pytest.fail(f"{after.flow}.{after.node} waits without a timeout")
