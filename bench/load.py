"""The citizens: many conversations at once, each message only after the reply to the one before.

A turn ends when the last message of its reply was handed to the transport. How many messages a reply has is
learnt beforehand, by waiting for silence; in the measured run one more or one fewer is an error.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from bench import talk, updates
from bench.httpclient import Connection
from bench.talk import Say, Step, Talk
from bench.wire import Handed, Wire

SILENCE = 0.4  # seconds without a further message: a reply is complete (only while learning)
PATIENCE = 20.0  # seconds after which a reply counts as lost
Counts = list[list[int]]  # messages in the reply to each step of each conversation


class Served(Protocol):
    """A server, or several that count as one."""

    @property
    def name(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def wires(self) -> Sequence[Wire]: ...
    def cpu(self) -> float:
        """Processor seconds used so far."""
        ...


@dataclass(slots=True)
class Box:
    """What one citizen has received in the present turn, and the last buttons."""

    want: int = 0
    got: int = 0
    first: int = 0
    last: int = 0
    text: str = ""
    markup: str = ""
    heard: list[str] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, count: int) -> None:
        """Begins a turn."""
        self.want, self.got, self.first, self.last = count, 0, 0, 0
        self.heard.clear()
        self.full.clear()


@dataclass(slots=True)
class Result:
    """What a period of load came to. Latencies in milliseconds."""

    turns: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    stray: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Turns a second."""
        return self.turns / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """Microseconds of the server's processor for one turn."""
        return self.cpu / self.turns * 1e6 if self.turns else 0.0

    def percentile(self, share: float) -> float:
        """Of the latencies, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Crowd:
    """All citizens of one server."""

    finishes = False  # whether who has begun to talk may end the talk when the period is over

    def __init__(self, server: Served, first: int) -> None:
        self.server = server
        self._boxes: dict[int, Box] = {}
        self._first = self._next = first
        self.counts: Counts = []
        self.stray = self.sent = self.said = self.turns = 0  # so far
        self._connections: deque[Connection] = deque()
        for wire in server.wires:
            wire.hear = self._hear

    def _hear(self, handed: Handed) -> None:
        self.said += 1
        box = self._boxes.get(handed.chat)
        if box is None:
            self.stray += 1
            return
        box.got += 1
        box.first = box.first or handed.at
        box.last, box.text = handed.at, handed.text
        box.heard.append(handed.text)
        box.markup = handed.markup or box.markup
        self.stray += bool(box.want) and box.got > box.want
        if box.want and box.got >= box.want:
            box.full.set()

    @property
    def citizens_seen(self) -> int:
        """How many different people have written."""
        return self._next - self._first

    def citizens(self) -> Iterator[int]:
        """Ids that nobody has used yet."""
        while True:
            self._next += 1
            yield self._next

    async def connect(self, count: int) -> None:
        """Opens as many connections as there will be requests at a time."""
        while len(self._connections) < count:
            self._connections.append(await Connection.open(self.server.port))

    def close(self) -> None:
        """Hangs up."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    async def learn(self) -> None:
        """One citizen for each conversation, to count the messages of each reply."""
        await self.connect(len(talk.TALKS))
        start = -(-self._next // len(talk.TALKS)) * len(talk.TALKS)
        people = [start + number for number in range(len(talk.TALKS))]
        self.counts = await asyncio.gather(*(self._learn(citizen) for citizen in people))
        self._next = start + len(talk.TALKS) - 1

    async def _learn(self, citizen: int) -> list[int]:
        return [len(await self.listen(citizen, step)) for step in talk.talk_of(citizen)]

    async def listen(self, citizen: int, step: Step) -> list[str]:
        """One message and its whole reply, of however many messages. Raises RuntimeError without one."""
        box = self._boxes.setdefault(citizen, Box())
        box.expect(0)
        await self.send(body_of(citizen, step, box))
        deadline = time.monotonic() + PATIENCE
        while not box.got or time.monotonic_ns() - box.last < SILENCE * 1e9:
            await asyncio.sleep(0.02)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.server.name} does not answer")
        return list(box.heard)

    async def send(self, body: bytes) -> None:
        """One webhook. Raises RuntimeError unless it is answered 200."""
        if not self._connections:
            await self.connect(1)
        connection = self._connections.popleft()
        try:
            status, _ = await connection.post(updates.HEAD, body)
        finally:
            self._connections.append(connection)
        self.sent += 1
        if status != 200:
            raise RuntimeError(f"{self.server.name} answered {status}")

    async def turn(self, citizen: int, step: Step, count: int) -> tuple[float, float]:
        """One message and its whole reply: milliseconds to the first and to the last message of it."""
        box = self._boxes[citizen]
        box.expect(count)
        body = body_of(citizen, step, box)
        begun = time.monotonic_ns()
        await self.send(body)
        async with asyncio.timeout(PATIENCE):
            await box.full.wait()
        self.turns += 1
        return (box.first - begun) / 1e6, (box.last - begun) / 1e6

    def meet(self, citizen: int) -> tuple[Talk, list[int]]:
        """A citizen comes: what will be said, and how many messages answer each step."""
        self._boxes[citizen] = Box()
        return self.meeting(citizen)

    def meeting(self, citizen: int) -> tuple[Talk, list[int]]:
        """What this citizen says, and how many messages answer each step."""
        return talk.talk_of(citizen), self.counts[citizen % len(talk.TALKS)]

    def ignore(self, citizen: int) -> None:
        """Whatever this citizen receives is not counted."""
        self._boxes[citizen] = Box()

    def part(self, citizen: int) -> None:
        """The citizen is done: whatever still comes for them is a stray message."""
        del self._boxes[citizen]

    async def closed(self, seconds: float, at_once: int = 64, warm: float = 1.0) -> Result:
        """`at_once` conversations beside each other, as fast as they are answered."""
        await self.connect(at_once)
        people, result, stop = self.citizens(), Result(), asyncio.Event()
        strays, counting = self.stray, [False]

        async def talks() -> None:
            while not stop.is_set():
                await self._converse(next(people), stop, lambda last: self._note(result, last, counting[0]))

        slots = [asyncio.create_task(talks()) for _ in range(at_once)]
        await asyncio.sleep(warm)
        counting[0], begun, cpu = True, time.monotonic(), self.server.cpu()
        await asyncio.sleep(seconds)
        counting[0] = False
        result.seconds, result.cpu = time.monotonic() - begun, self.server.cpu() - cpu
        stop.set()
        await asyncio.gather(*slots)
        result.stray = self.stray - strays
        return result

    def _note(self, result: Result, last: float, counting: bool) -> None:
        if counting:
            result.turns += 1
            result.latencies.append(last)

    async def _converse(self, citizen: int, stop: asyncio.Event, note: Callable[[float], None]) -> None:
        steps, counts = self.meet(citizen)
        for step, count in zip(steps, counts, strict=True):
            _, last = await self.turn(citizen, step, count)
            note(last)
            if stop.is_set() and not self.finishes:
                break
        self.part(citizen)


def body_of(citizen: int, step: Step, box: Box) -> bytes:
    """The update for a step; a tap takes the button's data from the keyboard that was shown last."""
    if isinstance(step, Say):
        return updates.said(citizen, step.text)
    markup = orjson.loads(box.markup)
    for row in markup.get("inline_keyboard", ()):
        for button in row:
            if button["text"] == step.label:
                return updates.tapped(citizen, button["callback_data"], box.text, markup)
    raise RuntimeError(f"nobody offered the button {step.label}")
