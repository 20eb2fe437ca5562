"""`limani chat`: talk to the bot in the terminal, as a tired person would, with the whole product behind it.

Every line of the transcript language works (+60s, phone NAME: <key>, console NAME: words, ! twilio 500);
anything else is what the citizen writes. At a question with buttons a number means the button of that number.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TextIO

from limani.commands.told import Told
from limani.logs import set_up_logs
from limani.transcript.play import act
from limani.transcript.script import Block, Citizen, Input, ScriptError, read_line
from limani.transcript.stage import ATHENS, Stage, open_stage
from store.clock import SystemClock

_HELP = "Write as a citizen would. Also: +60s, phone eleni: <key>, console eleni: words. Ctrl-D ends."


def run_chat(lang: str, save: str | None) -> None:
    """Until the input ends; then writes the transcript if asked to."""
    if lang not in ("el", "en"):
        raise Told("--lang is el or en")
    set_up_logs("error")
    block = asyncio.run(_chat(lang, sys.stdin))
    if save is not None:
        title = f"# A conversation\n\nWritten down by `limani chat --save` on {_today():%Y-%m-%d}.\n\n"
        try:
            Path(save).write_text(f"{title}```chat\n{block.as_text()}```\n", encoding="utf-8")
        except OSError as error:
            raise Told(f"cannot write {save}: {error.strerror}") from None


def _today() -> datetime:
    return SystemClock().now().astimezone(ATHENS)


async def _chat(lang: str, lines: TextIO) -> Block:
    given = f"given channel=telegram language={lang} clock={_today().isoformat(timespec='seconds')}"
    stage = await open_stage(dict(pair.split("=") for pair in given.split()[1:]))
    block = Block([(given, [])])
    if lines.isatty():
        print(_HELP)
    try:
        while line := await asyncio.to_thread(lines.readline):
            await _one(stage, block, line.rstrip("\n"))
    finally:
        await stage.close()
    return block


async def _one(stage: Stage, block: Block, line: str) -> None:
    """Does one line and prints what came of it."""
    if not line.strip():
        return
    try:
        text, one = _meant(line)
        outputs = await act(stage, one)
    except (ScriptError, AssertionError, LookupError, ValueError) as error:
        print(f"({error})", file=sys.stderr)
        return
    block.parts.append((text, outputs))
    for output in outputs:
        print(output, flush=True)


def _meant(line: str) -> tuple[str, Input]:
    """The transcript line that a typed line stands for."""
    one = read_line(line)
    return (line, one) if one is not None else (f"citizen: {line}", Citizen("says", line))
