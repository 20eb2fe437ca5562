"""Plays a transcript: inputs go to the stage, what happens becomes the outputs.

Between every two inputs the product is at rest and everything it knows is in the database, because every
turn loads the session and saves it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection

from escalation.desk import DeskError
from limani.transcript.oncall import on_call_phone
from limani.transcript.script import (
    Block,
    Citizen,
    Console,
    Fault,
    Given,
    Input,
    Later,
    Phone,
    ScriptError,
    Transcript,
    read_line,
)
from limani.transcript.stage import Stage, open_stage
from sandbox import Fault as Trouble


async def play(path: Path) -> str:
    """The whole file with the outputs that really happened."""
    transcript = Transcript.read(path)
    blocks = [await play_block(block) for block in transcript.blocks()]
    return transcript.with_blocks(blocks)


async def play_block(block: Block) -> Block:
    """One block, played on a fresh stage."""
    inputs = [(text, _understood(text)) for text, _ in block.parts]
    given: dict[str, str] = {}
    for _, one in inputs:
        if isinstance(one, Given):
            given |= one.values
    stage = await open_stage(given)
    try:
        return Block([(text, await act(stage, one)) for text, one in inputs])
    finally:
        await stage.close()


def _understood(text: str) -> Input:
    one = read_line(text)
    if one is None:
        raise ScriptError(f"not an input: {text}")
    return one


async def act(stage: Stage, one: Input) -> list[str]:
    """Does one input and returns what came of it."""
    said: list[str] = []
    match one:
        case Given():
            return []
        case Citizen():
            await stage.phone.does(one.verb, one.text.replace("\\n", "\n"))
        case Console():
            said = await _console(stage, one)
        case Phone():
            said = await on_call_phone(stage, one.person, one.deed)
        case Later():
            await stage.advance(one.by)
        case Fault():
            await _fault(stage, one.words)
    await stage.settle()
    return said + await stage.story()


async def _console(stage: Stage, one: Console) -> list[str]:
    ref = await stage.newest_ticket()
    desk = stage.app.staff.desk
    now, who = stage.clock.now(), one.person
    deeds: Mapping[str, Callable[[Connection], None]] = {
        "says": lambda tx: desk.reply(tx, ref, who, one.text, now),
        "takes": lambda tx: desk.take(tx, ref, who, now),
        "notes": lambda tx: desk.note(tx, ref, who, one.text, now),
        "closes": lambda tx: desk.close(tx, ref, who, one.text or "helped", now),
        "passes": lambda tx: desk.release(tx, ref, who, now),
    }
    try:
        await stage.app.parts.db.write(deeds[one.verb])
    except DeskError as error:
        return [f"=> told {one.person}: {error}"]
    return []


async def _fault(stage: Stage, words: tuple[str, ...]) -> None:
    """! restart, ! duplicate, ! twilio 500, ! twilio timeout, ! telegram 500, ! telegram 429"""
    match words:
        case ("restart",):
            await stage.restart()
        case ("duplicate",):
            await _again(stage)
        case (("twilio" | "telegram" | "viber") as provider, kind):
            stand_in = {"twilio": stage.twilio, "telegram": stage.telegram, "viber": stage.viber}[provider]
            stand_in.faults.add("*", _trouble(kind), times=1)
        case _:
            raise ScriptError(f"nobody knows this fault: {' '.join(words)}")


def _trouble(kind: str) -> Trouble:
    if kind == "timeout":
        return Trouble.reset(after_commit=True)
    if kind == "reset":
        return Trouble.reset()
    if kind == "429":
        return Trouble.rate_limited(1)
    return Trouble.status(int(kind))


async def _again(stage: Stage) -> None:
    """The provider sends its last update once more."""
    if stage.telegram.last_update is None:
        raise ScriptError("there is no update to repeat")
    await stage.telegram.phone(690001).posts(stage.telegram.last_update)
