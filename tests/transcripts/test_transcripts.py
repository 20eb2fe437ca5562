"""Plays every golden transcript: what happens has to be what is written, to the last button."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from limani.transcript.play import play
from limani.transcript.script import Block, ScriptError, Transcript, read_line

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.rglob("*.md"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
async def test_transcript(path: Path) -> None:
    kept, happened = path.read_text(encoding="utf-8"), await play(path)
    changes = difflib.unified_diff(
        kept.splitlines(), happened.splitlines(), "written", "happened", lineterm=""
    )
    assert kept == happened, "\n".join(changes)


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 30


def test_every_transcript_has_prose_and_a_citizen() -> None:
    for path in FILES:
        transcript = Transcript.read(path)
        assert transcript.text.startswith("# "), path
        assert any("citizen" in text for block in transcript.blocks() for text, _ in block.parts), path


def test_a_line_that_nobody_understands_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("# x\n\n```chat\ngiven channel=web\ncitizen shouts: no\n```\n")
    with pytest.raises(ScriptError, match=r"x\.md:5: not understood"):
        Transcript.read(path).blocks()


def test_outputs_are_rewritten_and_prose_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("# x\n\nProse.\n\n```chat\ncitizen: hi\nbot a.b: old\n```\n\nMore.\n")
    transcript = Transcript.read(path)
    fresh = transcript.with_blocks([Block([("citizen: hi", ["bot a.b: new"])])])
    assert fresh == path.read_text().replace("old", "new")


@pytest.mark.parametrize(
    "line", ["bot welcome.hello: hi", "=> ticket T1 opened", "  [A] [B]", "human: x", ""]
)
def test_outputs_are_no_inputs(line: str) -> None:
    assert read_line(line) is None
