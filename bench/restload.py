"""The same citizens at Rasa's REST channel: the reply is the answer of the request itself."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson

from bench import talk
from bench.httpclient import Connection, request_head
from bench.load import Result
from bench.run import RowFailed
from bench.servers import Server
from bench.talk import Say, Step

HEAD = request_head("/webhooks/rest/webhook")
Replies = list[dict[str, Any]]


class RestCrowd:
    """All citizens of one Rasa server."""

    def __init__(self, server: Server, first_question: str) -> None:
        self.server, self._first_question = server, first_question
        self._next = 0

    async def closed(self, seconds: float, at_once: int, warm: float = 1.0) -> Result:
        """`at_once` conversations beside each other, as fast as they are answered."""
        result, begun = Result(), time.monotonic() + warm
        end = begun + seconds
        cpu = asyncio.create_task(self._cpu_after(warm))
        connections = [await Connection.open(self.server.port) for _ in range(at_once)]
        await asyncio.gather(*(self._talks(each, result, begun, end) for each in connections))
        result.seconds = max(seconds, time.monotonic() - begun)
        result.cpu = self.server.cpu() - await cpu
        for connection in connections:
            connection.close()
        return result

    async def _cpu_after(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return self.server.cpu()

    async def _talks(self, connection: Connection, result: Result, begun: float, end: float) -> None:
        while time.monotonic() < end:
            self._next += 1
            await self._converse(connection, self._next, result, begun, end)

    async def _converse(
        self, connection: Connection, citizen: int, result: Result, begun: float, end: float
    ) -> None:
        replies: Replies = []
        for number, step in enumerate(talk.talk_of(citizen)):
            if isinstance(step, Say) and step.wrong:
                continue  # without an action server it checks no answer: it would only lose its place
            sent = time.monotonic()
            replies = await self._turn(connection, f"{self.server.name}-{citizen}", step, replies)
            if number == 0 and self._first_question not in replies[-1]["text"]:
                raise RowFailed("Rasa did not understand what was asked for")
            if sent >= begun:
                result.turns += 1
                result.latencies.append((time.monotonic() - sent) * 1e3)
            if time.monotonic() >= end:
                return

    async def _turn(self, connection: Connection, sender: str, step: Step, before: Replies) -> Replies:
        body = orjson.dumps({"sender": sender, "message": words_of(step, before)})
        status, answer = await connection.post(HEAD, body)
        replies: Replies = orjson.loads(answer) if status == 200 else []
        if not replies:
            raise RowFailed(f"Rasa answered {status} and said nothing")
        return replies


def words_of(step: Step, before: Replies) -> str:
    """What is typed, or what the tapped button carries. It speaks Greek alone: whoever would tap an English
    label taps the first button."""
    if isinstance(step, Say):
        return step.text
    buttons = [button for reply in before for button in reply.get("buttons", ())]
    if not buttons:
        return step.label
    return str(next((one["payload"] for one in buttons if one["title"] == step.label), buttons[0]["payload"]))
