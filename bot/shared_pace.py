"""The pace of one channel, shared by all processes through Redis: the same rules as bot.pace, kept there.

One small script decides for many messages at once, by Redis's own clock, so no two processes can both take
the last place. It has BUDGET seconds to answer; when it does not, this process goes on by itself at its
share of the rate, and asks beside whether Redis is back. A message in danger waits for that once, at most.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.pace import Pace, Stopped, Waited
from store.bell import ending
from store.clock import monotonic
from store.figures import Figures

BUDGET = 0.05  # seconds that Redis has for an answer
BROKEN = 5.0  # seconds between two looks whether Redis is back; and between signs of life
MOST = 64  # messages that one call decides
_LOOK = 0.2  # seconds after which whoever waits is looked at again
log = structlog.get_logger()

# KEYS[1] prefix; ARGV: who asks, microseconds of the window, messages in it, turns a second to one chat, the
# burst, then chat, turn and urgency (1 or 0) of each message. Gives the number of processes, then for each
# message the microseconds that it has to wait; 0 = it is counted and may go.
_SCRIPT = """
local prefix, me, window, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local chat_rate, burst = tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local who, recent, hurry = prefix .. ':who', prefix .. ':recent', prefix .. ':urgent'
redis.call('ZADD', who, now, me)
redis.call('ZREMRANGEBYSCORE', who, '-inf', now - 15000000)
redis.call('PEXPIRE', who, 30000)
local answer = {redis.call('ZCARD', who)}
for at = 6, #ARGV, 3 do
  local chat, turn, urgent = prefix .. ':' .. ARGV[at], ARGV[at + 1], ARGV[at + 2] == '1'
  local wait, oldest = 0, redis.call('LINDEX', recent, most - 1)
  if oldest then wait = math.max(0, oldest + window - now) end
  if wait > 0 and urgent then redis.call('SET', hurry, 1, 'PX', 250) end
  if wait == 0 and not urgent and redis.call('EXISTS', hurry) == 1 then wait = 10000 end
  if wait == 0 then
    local known = redis.call('HMGET', chat, 'left', 'at', 'turn')
    local left = burst
    if known[1] then left = math.min(burst, known[1] + (now - known[2]) / 1000000 * chat_rate) end
    local heard = known[3] == turn
    if not urgent and not heard and left < 1 then wait = math.ceil((1 - left) / chat_rate * 1000000) end
    if wait == 0 then
      redis.call('LPUSH', recent, now)
      redis.call('LTRIM', recent, 0, most - 1)
      redis.call('PEXPIRE', recent, math.ceil(window / 1000) + 1000)
      if urgent then redis.call('DEL', hurry) end
      if not heard then
        redis.call('HSET', chat, 'left', math.max(0, left - 1), 'at', now, 'turn', turn)
        redis.call('PEXPIRE', chat, math.ceil(burst / chat_rate * 1000) + 1000)
      end
    end
  end
  answer[#answer + 1] = wait
end
return answer
"""


@dataclass(slots=True, eq=False)
class _Ask:
    """A message that waits for its turn."""

    chat: int
    turn: int
    urgent: bool
    answer: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    not_before: float = 0.0


class SharedPace:
    """See bot.pace.Pace; `name` is the channel."""

    def __init__(
        self,
        name: str,
        redis_url: str,
        rate: float,
        chat_rate: float,
        figures: Figures,
        burst: int = 3,
        waited: Waited | None = None,
    ) -> None:
        self._name, self._url, self._figures, self._waited = name, redis_url, figures, waited
        self._local = Pace(rate, chat_rate, burst)
        window = max(1.0, 1 / rate)
        self._rules = (round(window * 1_000_000), max(1, int(rate * window)), chat_rate, burst)
        self._me = secrets.token_hex(6)
        self._asks: deque[_Ask] = deque()
        self._rung = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._peers = 1
        self._broken = False
        self._asked_at = 0.0
        self._stopping = False

    def start(self) -> None:
        """Shows the other processes that we are here. The first message starts it too."""
        if self._work is None:
            self._work = asyncio.create_task(self._serve())

    def stop(self) -> None:
        """Whoever waits gives up."""
        self._stopping = True
        self._local.stop()
        for ask in self._asks:
            if not ask.answer.done():
                ask.answer.set_exception(Stopped())
        self._asks.clear()

    async def close(self) -> None:
        """After `stop`: lets Redis go."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def turn(self, chat: int, turn: int, *, urgent: bool) -> None:
        """Returns when one more message of `turn` may go to `chat`. Raises Stopped."""
        if self._stopping:
            raise Stopped
        self.start()
        begun, ask = monotonic(), _Ask(chat, turn, urgent)
        self._asks.append(ask)
        self._rung.set()
        await ask.answer
        if self._waited is not None and (seconds := monotonic() - begun) > BUDGET:
            self._waited(seconds, urgent)

    async def _serve(self) -> None:
        """Decides for whoever waits, urgent ones first, and shows the others that we are here."""
        from redis.asyncio import Redis

        client = Redis.from_url(self._url, socket_connect_timeout=1, socket_timeout=1)
        script = client.register_script(_SCRIPT)
        try:
            while not ending():
                await self._rest()
                some = self._ready()
                if self._broken:
                    self._alone(some)
                if not self._broken or monotonic() - self._asked_at > BROKEN:
                    await self._together(script, [] if self._broken else some)
        finally:
            with suppress(Exception):
                await client.aclose()

    async def _rest(self) -> None:
        """Until somebody asks, or may be let go, or a sign of life is due."""
        waits = [ask.not_before - monotonic() for ask in self._asks]
        seconds = max(0.001, min([*waits, _LOOK])) if waits else BROKEN
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()

    def _ready(self) -> list[_Ask]:
        now = monotonic()
        self._asks = deque(ask for ask in self._asks if not ask.answer.done())
        ready = [ask for ask in self._asks if ask.not_before <= now]
        return sorted(ready, key=lambda ask: not ask.urgent)[:MOST]

    async def _together(self, script: Any, some: list[_Ask]) -> None:
        self._asked_at = monotonic()
        told = [word for ask in some for word in (ask.chat, ask.turn, int(ask.urgent))]
        try:
            async with asyncio.timeout(BUDGET):
                peers, *waits = await script(
                    keys=[f"limani:pace:{{{self._name}}}"], args=[self._me, *self._rules, *told]
                )
        except Exception as error:  # whatever is wrong with Redis, messages go on
            self._break(type(error).__name__)
            self._alone(some)
            return
        self._mend(int(peers))
        for ask, wait in zip(some, waits, strict=True):
            if wait <= 0:
                self._local.note(ask.chat, ask.turn)
            self._decide(ask, wait / 1_000_000)

    def _alone(self, some: list[_Ask]) -> None:
        """By our own share of the rate. As in bot.pace, ordinary ones do not move while urgent ones wait."""
        held = False
        for ask in some:
            wait = (
                _LOOK if held and not ask.urgent else self._local.look(ask.chat, ask.turn, urgent=ask.urgent)
            )
            held |= wait > 0 and ask.urgent
            self._decide(ask, wait)
            self._figures.count("pace_local", self._name, by=int(wait <= 0))

    def _decide(self, ask: _Ask, wait: float) -> None:
        if wait > 0:
            ask.not_before = monotonic() + min(wait, _LOOK)
        elif not ask.answer.done():
            ask.answer.set_result(None)

    def _break(self, error: str) -> None:
        if not self._broken:
            log.warning("pace_not_shared", channel=self._name, error=error, count=self._peers)
        self._broken = True
        self._local.share(self._peers)
        self._figures.level(0, "pace_shared", self._name)

    def _mend(self, peers: int) -> None:
        if self._broken:
            log.info("pace_shared", channel=self._name, count=peers)
            self._local.share(1)
        self._peers, self._broken = max(1, peers), False
        self._figures.level(1, "pace_shared", self._name)
