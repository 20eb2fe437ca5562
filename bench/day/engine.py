"""The day itself: a calendar of what happens when, a clock that jumps from one entry to the next, and one
core that is charged for what it does.

Whatever comes while the core is busy waits for it and is taken together, as the product itself does. The CPU
time that the product really used for a batch (door, turn, commits, sender, pager) is what the batch costs on
the fake clock, with the disk's part added for each commit; the simulation's own work is not counted.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench import updates
from bench.day.citizens import Citizen, Deed, Minds
from bench.day.demand import Arrivals
from bench.day.ledger import Ledger
from bench.day.numbers import Numbers
from bench.day.phones import WORDS, Act, Phones
from bench.day.town import Spoken, Town, open_town
from bench.day.towns import TownSpec
from escalation.pager import EVERY
from limani.app import Mind
from store.clock import ManualClock

MIDNIGHT = datetime(2026, 7, 22, tzinfo=ZoneInfo("Europe/Athens"))
_CHATS = 1_000_000_000


@dataclass(order=True, slots=True)
class _Entry:
    at: float
    number: int
    town: int = field(compare=False)
    deed: tuple[Citizen, Deed] | None = field(default=None, compare=False)
    act: Act | None = field(default=None, compare=False)
    quiet: bool = field(default=False, compare=False)  # only a thought of a citizen: costs the server nothing


class Gate:
    """A bot's rate: at most `rate` messages in any second; urgent ones only count, they do not wait."""

    def __init__(self, rate: float) -> None:
        self._recent: deque[float] = deque(maxlen=max(1, int(rate)))

    def leaves(self, ready: float, urgent: bool) -> float:
        """When a message that is ready now goes."""
        full = len(self._recent) == self._recent.maxlen
        at = ready if urgent or not full else max(ready, self._recent[0] + 1.0)
        self._recent.append(max(at, self._recent[-1] if self._recent else at))
        return at


class Day:
    """Runs the towns of one process from midnight on. `progress(seconds)` is told how far the clock is."""

    def __init__(
        self,
        specs: Sequence[TownSpec],
        numbers: Numbers,
        seed: int,
        *,
        fsync: float = 0.0,
        progress: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._specs, self._numbers, self._seed = specs, numbers, seed
        self._fsync, self._progress = fsync, progress
        self._clock = ManualClock(MIDNIGHT)
        self._zero = MIDNIGHT.timestamp()
        self._calendar: list[_Entry] = []
        self._count = 0
        self._minds = Minds(numbers, seed)
        self._people: dict[int, Citizen] = {}
        self._gates = [Gate(float(numbers["telegram_rate"])) for _ in specs]
        self._wakes: dict[int, float] = {}
        self._free_at = 0.0
        self.towns: list[Town] = []
        self.phones: list[Phones] = []
        self.ledger = Ledger()

    async def open(self, folder: Path, mind: Mind) -> None:
        """Serves every town."""
        for place, spec in enumerate(self._specs):
            later = self._later_in(place)
            phones = Phones(spec, self._numbers, self._seed, self.now, later)
            where = folder / f"{spec.number:03d}"
            town = await open_town(spec, where, self._clock, mind, self._numbers, phones.carrier)
            phones.town = town
            self.towns.append(town)
            self.phones.append(phones)
        await asyncio.sleep(0.6)  # the providers' packages load beside

    async def close(self) -> None:
        """Ends every town."""
        for town in self.towns:
            await town.close()

    @property
    def people(self) -> list[Citizen]:
        """Everybody who has written or is about to."""
        return list(self._people.values())

    def now(self) -> float:
        """Seconds since midnight on the fake clock."""
        return self._clock.now().timestamp() - self._zero

    async def run(self, arrivals: Arrivals, until: float) -> None:
        """All arrivals, and what follows of them, until this second."""
        order = iter(range(len(arrivals)))
        self._admit(arrivals, next(order, None))
        steps = 0
        while self._calendar and self._calendar[0].at <= until:
            start = max(self._calendar[0].at, self._free_at)
            batch: list[_Entry] = []
            while self._calendar and self._calendar[0].at <= start:
                entry = heapq.heappop(self._calendar)
                if entry.deed is not None and not entry.deed[0].sent:
                    self._admit(arrivals, next(order, None))
                batch.append(entry)
            await self._take(batch, start)
            steps += 1
            if steps % 50 == 0:
                self._progress(start)

    def _admit(self, arrivals: Arrivals, place: int | None) -> None:
        """The next newcomer enters the calendar when the one before is taken: it stays small."""
        if place is None:
            return
        topic = arrivals.topics[int(arrivals.topic[place])]
        chat = _CHATS + len(self._people)
        who = self._minds.make(chat, topic, float(arrivals.at[place]))
        self._people[chat] = who
        self._put(who.began, int(arrivals.town[place]), deed=(who, self._minds.starts(who)))

    def _put(
        self,
        at: float,
        town: int,
        deed: tuple[Citizen, Deed] | None = None,
        act: Act | None = None,
        quiet: bool = False,
    ) -> None:
        self._count += 1
        heapq.heappush(self._calendar, _Entry(at, self._count, town, deed, act, quiet))

    def _later_in(self, place: int) -> Callable[[float, Act], None]:
        return lambda at, act: self._put(at, place, act=act)

    async def _take(self, batch: list[_Entry], start: float) -> None:
        """One batch, on the core from `start` on."""
        self._clock.set(datetime.fromtimestamp(self._zero + start, UTC) + timedelta(microseconds=1))
        posts = [(entry.town, body) for entry in batch if (body := self._body(entry, start)) is not None]
        touched = sorted({entry.town for entry in batch if not entry.quiet})
        for entry in batch:
            if entry.quiet and entry.act is not None:
                await entry.act()
        if not touched:
            return
        looks = {place: self._due(place) <= start for place in touched}
        before, commits = time.process_time(), self._commits(touched)
        await asyncio.gather(*(self.towns[town].post(body) for town, body in posts))
        for entry in batch:
            if entry.act is not None and not entry.quiet:
                await entry.act()
        for place in touched:
            await self.towns[place].settle(look=looks[place])
        cpu = time.process_time() - before
        cost = cpu + (self._commits(touched) - commits) * self._fsync
        self._free_at = start + cost
        self.ledger.batch(start, cpu, cost, len(posts))
        asked = {entry.deed[0].chat for entry in batch if entry.deed is not None}
        for place in touched:
            self._deliver(place, asked)
            self._wake(place, start)

    def _body(self, entry: _Entry, start: float) -> bytes | None:
        """What the citizen sends, noted; None for entries that are no message (any more)."""
        if entry.deed is None:
            return None
        who, deed = entry.deed
        who.sent.append(entry.at)
        who.at, who.number = None if who.helped else entry.at, who.number + 1
        self.ledger.stimulus(entry.at, who.red)
        look = self._impatience(who, entry.town, who.number)
        self._put(entry.at + self._minds.patience(), entry.town, act=look, quiet=True)
        if deed.data:
            return updates.tapped(who.chat, deed.data, "…", {"inline_keyboard": []})
        return updates.said(who.chat, deed.text)

    def _impatience(self, who: Citizen, place: int, number: int) -> Act:
        """Looks whether the answer came."""

        async def look() -> None:
            if who.at is None or who.number != number or who.helped:
                return
            again = self._minds.loses_patience(who, self.now())
            if again is not None:
                self.ledger.impatient += 1
                self._put(again.at, place, deed=(who, again))

        return look

    def _deliver(self, place: int, asked: set[int]) -> None:
        """What was said in this batch reaches its citizens, as fast as the bot may speak. It answers those
        who asked in the batch; for others it is news."""
        heard: dict[int, tuple[float, list[Spoken]]] = {}
        for one in self.towns[place].take_said():
            leaves = self._gates[place].leaves(self._free_at, one.urgent)
            self.ledger.message(leaves, place)
            _, several = heard.get(one.chat, (leaves, []))
            heard[one.chat] = (leaves, [*several, one])
        for chat, (leaves, several) in heard.items():
            self._hears(place, self._people[chat], leaves, several, chat in asked)

    def _hears(self, place: int, who: Citizen, leaves: float, several: list[Spoken], asked: bool) -> None:
        who.markup = several[-1].markup or who.markup
        human = any(one.text in WORDS for one in several)
        if not human and (who.at is None or not asked):
            return  # news that answers nothing: somebody has joined, somebody is still being looked for
        if who.at is not None and asked:
            self.ledger.reply(who.at, leaves - who.at, who.red and len(who.sent) == 1)
        deed = self._minds.hears(who, leaves, human)
        if deed is not None:
            self._put(deed.at, place, deed=(who, deed))

    def _wake(self, place: int, start: float) -> None:
        """The town's next due moment enters the calendar, once."""
        due = self._due(place)
        if due == math.inf:
            return
        # What is due and was not done waits for the telephone account's next call.
        late = due <= start
        at = start + 1.05 / float(self._numbers["twilio_cps"]) if late else max(due, start + EVERY)
        if self._wakes.get(place, -1.0) > start and self._wakes[place] <= at:
            return
        self._wakes[place] = at
        self._put(at, place, act=_nothing)

    def _due(self, place: int) -> float:
        """When something of this town is due by itself, in seconds since midnight."""
        due = self.towns[place].next_due()
        return math.inf if due is None else due - self._zero

    def _commits(self, places: Sequence[int]) -> int:
        return sum(_commits_of(self.towns[place]) for place in places)


async def _nothing() -> None:
    """The town is looked at, that is all."""


def _commits_of(town: Town) -> int:
    """Commits so far, each of which waits for the disk."""
    sizes = town.app.parts.figures.spans.get(("batch_works",))
    return sum(sizes.counts) if sizes is not None else 0
