"""In which order, by what and how long people are paged, and what a page does next. Pure.

`next_move` is all the judgement there is: it reads a page, the attempts of its present step, the roster and
the clock, and answers with one frozen decision. The pager only makes decisions true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from escalation.roster import Person, Roster, on_call, supervisors

ORDINALS = ("first", "second", "third", "fourth", "fifth")
ROUND_PAUSE = timedelta(minutes=5)  # an exhausted page rings everybody again after this
EMPTY_PAUSE = timedelta(minutes=1)  # ... and looks this often whether there is anybody by now

SET_BACK = timedelta(minutes=2)
"""Clocks of two machines may differ by this much. What is due later than could ever have been written, and
this much more, was written before somebody set the clock back: it is not waited for."""


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """One step of a policy: whom, by which means, and for how long before the next step begins."""

    who: str
    by: tuple[str, ...]
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """`repeat` counts all rounds; `contact_within` is what a responder has to say a first word."""

    steps: tuple[PolicyStep, ...]
    repeat: int
    contact_within: timedelta


@dataclass(frozen=True, slots=True)
class Frozen:
    """The policy that a page began with. `last_round`: the page is exhausted when this round is over."""

    policy: Policy
    last_round: int


@dataclass(frozen=True, slots=True)
class PageView:
    """What a decision may know of a page. `due_at` is the end of the step that runs now; `started` false:
    (round, step) is yet to be begun; `alarm`: it is exhausted and rings on."""

    started: bool
    alarm: bool
    round: int
    step: int
    due_at: datetime
    passed_over: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TryView:
    """What a decision may know of one attempt of the present step. `alive`: it may still bring an answer;
    `unsent`: it waits for its turn, because more cases are paged than the provider takes in a second;
    `hopeless`: the provider refuses our account, so no other person can be reached either."""

    means: str
    alive: bool
    unsent: bool = False
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """One person to reach by one means."""

    person: str
    means: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Ring these people now; the step is over at `until`."""

    round: int
    step: int
    rings: tuple[Ring, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Exhaust:
    """Nobody took it: sound the alarm and tell the citizen. `again_at`: when everybody is rung anew."""

    round: int
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """The alarm sounds already; the next round begins at `again_at`."""

    round: int
    again_at: datetime


Decision = Wait | Begin | Exhaust | Pause


def next_move(
    frozen: Frozen,
    page: PageView,
    tries: Sequence[TryView],
    roster: Roster,
    usable: frozenset[str],
    now: datetime,
) -> Decision:
    """What has to happen with a page that nobody has taken yet. `usable`: the means that work here."""
    steps = frozen.policy.steps
    resting = page.alarm and page.step >= len(steps)
    if page.started and not resting and _all_hopeless(tries):
        return _alarm(page, page.round, now + EMPTY_PAUSE)
    longest = max(ROUND_PAUSE, EMPTY_PAUSE) if resting or not page.started else steps[page.step].lasts
    ended = page.due_at <= now or was_set_back(page.due_at, longest, now)
    if page.started and not _over(ended, tries, resting, usable):
        return Wait()
    start = page.step + 1 if page.started and not resting else page.step
    round_, step = (page.round + 1, 0) if resting else (page.round, start)
    last = round_ if page.alarm else max(frozen.last_round, round_)
    for round_at, step_at in _positions(round_, step, last, len(steps)):
        rings = rings_of(steps[step_at], roster, page.passed_over, usable, now)
        if rings:
            return Begin(round_at, step_at, rings, now + steps[step_at].lasts)
    return _end_of_rounds(page, last, bool(tries) or step > 0, now)


def was_set_back(due_at: datetime, longest: timedelta, now: datetime) -> bool:
    """Whether the clock was set back since `due_at` was written, as something `longest` ahead at most."""
    return due_at > now + longest + SET_BACK


def _over(ended: bool, tries: Sequence[TryView], resting: bool, usable: frozenset[str]) -> bool:
    """Whether the present step (or the pause between rounds) is over. `ended`: its time is.

    Voice decides: a text alone is not waited for when every call of the step has come to nothing. A step
    whose calls have not been made is not over: otherwise, on a night with many cases, the last ones would
    go from step to step without ever ringing."""
    if any(one.unsent and one.means in usable for one in tries):
        return False
    if ended:
        return True
    if resting:
        return False
    return not any(one.alive for one in _deciding(tries))


def _deciding(tries: Sequence[TryView]) -> list[TryView]:
    return [one for one in tries if one.means == "voice"] or list(tries)


def _all_hopeless(tries: Sequence[TryView]) -> bool:
    """Going on to the next person would only delay the truth: nobody is being called."""
    return bool(tries) and all(one.hopeless for one in _deciding(tries))


def _positions(round_: int, step: int, last: int, steps: int) -> Iterator[tuple[int, int]]:
    """(round, step) from here to the end of the last round."""
    while round_ <= last:
        while step < steps:
            yield round_, step
            step += 1
        round_, step = round_ + 1, 0


def _end_of_rounds(page: PageView, last: int, anybody: bool, now: datetime) -> Decision:
    return _alarm(page, last, now + (ROUND_PAUSE if anybody else EMPTY_PAUSE))


def _alarm(page: PageView, round_: int, again_at: datetime) -> Decision:
    return Pause(round_, again_at) if page.alarm else Exhaust(round_, again_at)


def rings_of(
    rung: PolicyStep, roster: Roster, passed_over: frozenset[str], usable: frozenset[str], now: datetime
) -> tuple[Ring, ...]:
    """Whom a step reaches at this moment; empty when there is nobody or no way."""
    means = [one for one in rung.by if one in usable]
    people = [person for person in who(rung.who, roster, passed_over, now) if person.phone]
    return tuple(Ring(person.key, one) for person in people for one in means)


def who(word: str, roster: Roster, passed_over: frozenset[str], now: datetime) -> list[Person]:
    """The people that a step's word means now; those who let a case go come last."""
    present = _last(on_call(roster, now), passed_over)
    if word in ORDINALS:
        place = ORDINALS.index(word)
        return present[place : place + 1]
    leaders = _last(supervisors(roster), passed_over)
    if word == "supervisor":
        return leaders
    if word == "everyone":
        return present + [person for person in leaders if person not in present]
    return [roster.people[word]] if word in roster.people else []


def _last(people: list[Person], passed_over: frozenset[str]) -> list[Person]:
    return sorted(people, key=lambda person: person.key in passed_over)


def reaches_anybody(policy: Policy, roster: Roster, usable: frozenset[str], now: datetime) -> bool:
    """Whether somebody who is meant to answer first can be rung now. A supervisor far down the list is
    paged all the same, but nobody is promised to a citizen on that ground."""
    on_shift = any(person.phone for person in on_call(roster, now))
    first = rings_of(policy.steps[0], roster, frozenset(), usable, now)
    return bool(usable) and (on_shift or bool(first))


def freeze(policy: Policy, round_: int) -> dict[str, Any]:
    """The policy as the page keeps it, for `repeat` rounds from this one on."""
    steps = [{"who": s.who, "by": list(s.by), "for": s.lasts.total_seconds()} for s in policy.steps]
    return {
        "steps": steps,
        "repeat": policy.repeat,
        "contact_within": policy.contact_within.total_seconds(),
        "last_round": round_ + policy.repeat - 1,
    }


def thaw(kept: dict[str, Any]) -> Frozen:
    """The policy of a page again."""
    steps = tuple(PolicyStep(s["who"], tuple(s["by"]), timedelta(seconds=s["for"])) for s in kept["steps"])
    policy = Policy(steps, kept["repeat"], timedelta(seconds=kept["contact_within"]))
    return Frozen(policy, kept["last_round"])
