"""One step under construction: the session as it becomes, the events so far, and the verbs that make them.

Lives for one call of flows.engine.step. Everything that speaks, asks or moves goes through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.events import (
    Asked,
    Button,
    EntryAdded,
    Event,
    FlowEnded,
    FlowStarted,
    Said,
    WaitCancelled,
    WaitSet,
)
from flows.match import Choice
from flows.model import Ask, Change, Collect, Flow, Library, Node, Wait
from flows.render import View, answered, render, render_text, short
from flows.rules import Situation
from flows.session import (
    Case,
    CasePhase,
    Context,
    Parked,
    Session,
    Step,
    Stimulus,
    StimulusKind,
    changed,
)
from flows.slots import AGE_BANDS

MAX_PARKED = 6
BANDS = tuple(f"{low}-{high}" if high < 120 else f"{low}+" for low, high in AGE_BANDS)


class Machine:
    """Mutable on purpose and never kept: `finish` turns it into a Step."""

    def __init__(self, library: Library, session: Session, stimulus: Stimulus, context: Context) -> None:
        self.library = library
        self.before = session
        self.session = changed(session, {"steps": session.steps + 1})
        self.stimulus = stimulus
        self.context = context
        self.events: list[Event] = []
        self.entry: tuple[str, str] | None = None  # (kind, text) of what the citizen did, for tickets
        self.extra: Mapping[str, str] = {}
        self.budget = 100
        self.rearm = stimulus.kind in CITIZEN

    # -- state ---------------------------------------------------------------------------------

    def put(self, **changes: Any) -> None:
        """Changes the session."""
        self.session = changed(self.session, changes)

    def put_case(self, **changes: Any) -> None:
        """Changes the open case, if there is one."""
        if self.session.case is not None:
            self.put(case=replace(self.session.case, **changes))

    @property
    def case(self) -> Case | None:
        """The open case of this conversation."""
        return self.session.case

    @property
    def flow(self) -> Flow | None:
        """The flow under way."""
        return self.library.flows.get(self.session.flow or "")

    @property
    def node(self) -> Node | None:
        """The node under way."""
        return self.library.node(self.session.flow, self.session.node)

    @property
    def situation(self) -> Situation:
        """What predicates look at."""
        return Situation(self.session, self.context)

    @property
    def red_active(self) -> bool:
        """A red case is open and a human is being looked for, or has come."""
        case = self.case
        return case is not None and case.risk == "red" and case.phase is not CasePhase.queued

    # -- speaking ------------------------------------------------------------------------------

    def view(self, **extra: str) -> View:
        """What texts may draw on."""
        return View(self.library, self.session, self.context, {**self.extra, **extra})

    def say(self, key: str, buttons: tuple[Button, ...] = (), **extra: str) -> None:
        """One text. A text that nobody wrote is not sent."""
        text = render(self.view(**extra), key)
        if text:
            self.events.append(Said(key, text, buttons, self.urgent(key)))

    def common(self, name: str, buttons: tuple[Button, ...] = (), **extra: str) -> None:
        """A text of the engine's own."""
        self.say(f"common.{name}", buttons, **extra)

    def crisis(self, name: str, buttons: tuple[Button, ...] = ()) -> None:
        """A text of the crisis flow, in the form for this kind of danger where there is one."""
        kind = self.case.risk_kind if self.case else None
        special = f"crisis.{name}_{kind}"
        known = self.library.find(special, self.session.language) is not None
        self.say(special if known else f"crisis.{name}", buttons)

    def urgent(self, key: str) -> bool:
        """Crisis texts, and every text while a red case is open, go before all others."""
        return key.startswith("crisis.") or self.red_active

    def button(self, name: str) -> Button:
        """A button of the engine's own: human, menu, skip, yes, no, resume."""
        return Button(f"@{name}", render(self.view(), f"common.{name}") or name)

    def question(self, name: str, **extra: str) -> None:
        """A yes-or-no question of the engine's own, about what is proposed."""
        about = self.session.proposed
        text = render(self.view(**extra), f"common.{name}") or "?"
        yes, no = (
            Button(f"{button.value}:{about}", button.label) for button in map(self.button, ("yes", "no"))
        )
        buttons = (yes, no, *self.human_button())
        self.events.append(Asked(f"common.{name}", text, name, buttons, self.urgent("")))

    def human_button(self) -> tuple[Button, ...]:
        """A way to a person, unless one is being looked for already."""
        return () if self.red_active else (self.button("human"),)

    # -- asking --------------------------------------------------------------------------------

    def pose(self) -> None:
        """Asks the question of the node under way (again)."""
        node, flow = self.node, self.flow
        if flow is None or not isinstance(node, Wait):
            return
        key = f"{flow.name}.{node.text}"
        self._asked(key, render(self.view(), key))

    def pose_invalid(self, node: Collect, name: str | None = None) -> None:
        """Asks again, saying what would be an answer. `name`: a text of `common` instead."""
        key = f"{self.session.flow}.{node.text}"
        message = self.library.find(key, self.session.language)
        own = render_text(self.view(), message.invalid) if message and message.invalid else ""
        if name is None and node.invalid:
            own = render(self.view(), f"{self.session.flow}.{node.invalid}") or own
        text = render(self.view(), f"common.{name}") if name else own
        text = text or render(self.view(), f"common.invalid_{node.type}") or render(self.view(), key)
        self._asked(f"{key}.{name or 'invalid'}", text)

    def _asked(self, key: str, text: str) -> None:
        node = self.node
        slot = getattr(node, "slot", None) or self.session.node or ""
        wants_place = isinstance(node, Collect) and (node.location or node.type == "place")
        wants_phone = isinstance(node, Collect) and node.type == "phone"
        buttons = (*self.own_buttons(), *self.human_button())
        urgent = self.urgent(key)
        self.events.append(Asked(key, text or "…", slot, buttons, urgent, wants_place, wants_phone))

    def own_buttons(self) -> tuple[Button, ...]:
        """The buttons of the question under way. Values carry the node: a tap on an older question's
        button must never answer a newer one."""
        node, name = self.node, self.session.node
        buttons = tuple(Button(f"{name}={choice.value}", choice.phrases[0]) for choice in self.choices())
        return (*buttons, self.button("skip")) if isinstance(node, Collect) and node.optional else buttons

    def choices(self) -> tuple[Choice, ...]:
        """What can be chosen at the node under way."""
        flow, node = self.flow, self.node
        if flow is None:
            return ()
        if isinstance(node, Ask):
            key = f"{flow.name}.{node.text}"
            made = ("choices", key, self.session.language, *node.options)
            return self.library.once(made, lambda: tuple(self._choice(key, value) for value in node.options))
        if isinstance(node, Change):
            view = self.view()
            return tuple(
                Choice(slot, (short(view, flow, name),)) for slot, name in answered(flow, self.session)
            )
        if isinstance(node, Collect) and node.type == "age_band":
            return tuple(Choice(band, (band,)) for band in BANDS)
        return ()

    def _choice(self, key: str, value: str) -> Choice:
        languages = dict.fromkeys((self.session.language, "el", "en"))
        texts = [text for tongue in languages if (text := self.library.option(key, value, tongue))]
        phrases = [phrase for text in texts for phrase in (text.label, *text.also)]
        return Choice(value, tuple(dict.fromkeys(phrases)) or (value,))

    # -- flows begin, wait and end ---------------------------------------------------------------

    def begin(self, name: str, node: str, topic: str | None = None) -> None:
        """A flow starts with nothing answered."""
        self.put(flow=name, node=node, answers={}, trail=(), misses=0, proposed=None, returning=None)
        self.put(topic=topic, ref=None, greeted=True)
        self.events.append(FlowStarted(name))

    def leave(self, outcome: str) -> None:
        """The flow under way is over, and so are the flows that entered it."""
        if self.session.flow is not None:
            self.events.append(FlowEnded(self.session.flow, outcome))
        self.drop()
        self.forget_callers()

    def forget_callers(self) -> None:
        """Flows that only waited for an entered flow to end, which it never will."""
        parked = self.session.parked
        while parked and parked[-1].returns:
            parked = parked[:-1]
        self.put(parked=parked)

    def drop(self) -> None:
        """Nothing is under way any more."""
        self.put(flow=None, node=None, answers={}, trail=(), misses=0, proposed=None, returning=None)
        self.put(topic=None, ref=None)

    def park(self, *, node: str | None = None, returns: bool = False) -> None:
        """Puts the flow under way aside, to be resumed (or, with `returns`, to be returned to)."""
        now = self.session
        if now.flow is None or now.node is None:
            return
        aside = Parked(
            flow=now.flow, node=node or now.node, answers=now.answers, trail=now.trail, topic=now.topic,
            ref=now.ref, returning=now.returning, returns=returns,
        )  # fmt: skip
        if not returns:
            self.events.append(FlowEnded(now.flow, "preempted"))
        self.put(parked=(*now.parked, aside)[-MAX_PARKED:])
        self.drop()

    def unpark(self) -> Parked | None:
        """Takes up the flow that was put aside last."""
        if not self.session.parked:
            return None
        *rest, last = self.session.parked
        self.put(parked=tuple(rest), flow=last.flow, node=last.node, answers=last.answers, trail=last.trail)
        self.put(topic=last.topic, ref=last.ref, returning=last.returning, misses=0, proposed=None)
        if not last.returns:
            self.events.append(FlowStarted(last.flow))
        return last

    # -- the end of the step ---------------------------------------------------------------------

    def log(self, ref: str) -> None:
        """What the citizen did becomes a line of a ticket."""
        if self.entry is not None:
            self.events.append(EntryAdded(ref, "citizen", *self.entry))

    def finish(self) -> Step:
        """Sets the wait of the node under way and freezes the step."""
        old = self.before.wait
        moved = (self.session.flow, self.session.node) != (self.before.flow, self.before.node)
        if moved or self.rearm or self._silent:
            self._arm(old)
        return Step(self.session, tuple(self.events))

    @property
    def _silent(self) -> bool:
        return self.case is not None and self.case.phase is CasePhase.joined

    def _arm(self, old: str | None) -> None:
        node = self.node
        timeout = node.timeout if isinstance(node, Ask | Collect) and not self._silent else None
        if timeout is not None:
            token = f"{self.session.flow}.{self.session.node}.{self.session.steps}"
            self.put(wait=token)
            self.events.append(WaitSet(token, self.context.now + timeout.after))
        elif old is not None:
            self.put(wait=None)
            self.events.append(WaitCancelled())


CITIZEN = frozenset(
    {
        StimulusKind.said, StimulusKind.tapped, StimulusKind.edited, StimulusKind.located, StimulusKind.filed,
        StimulusKind.shared_phone, StimulusKind.opened,
    }
)  # fmt: skip
