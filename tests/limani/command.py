"""Runs commands of `limani` as a shell would, with settings of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from limani.commands.app import app
from limani.commands.told import Told
from tests.conftest import KEY

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Shell:
    """A shell with a database file of its own; `env` may be changed."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = {"LIMANI_DATABASE_URL": f"sqlite:///{self.folder}/limani.db", "LIMANI_SECRET_KEYS": KEY}

    def run(self, *words: str, stdin: str | None = None) -> Answer:
        """In this process: quick. The rim of `main` (Told, wrong words) is taken in as a shell sees it."""
        runner = CliRunner(env=self.whole_env())
        result = runner.invoke(app, list(words), input=stdin)
        if isinstance(result.exception, Told):
            return Answer(2, result.stdout, f"{result.stderr}{result.exception}\n")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def start(self, *words: str, stdin: bytes = b"") -> Answer:
        """As a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "limani", *words],
            input=stdin,
            capture_output=True,
            cwd=ROOT,
            env={**_clean(), **self.env},
            timeout=60,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def beside(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process that goes on beside the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "limani", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**_clean(), **self.env},
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def whole_env(self) -> dict[str, str | None]:
        """Settings of the machine are taken away, ours are put in."""
        gone: dict[str, str | None] = {name: None for name in os.environ if name.startswith("LIMANI_")}
        return {**gone, **self.env}


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LIMANI_")}


def sentence(answer: Answer) -> str:
    """The sentence with which a command said no."""
    assert answer.code == 2, (answer.out, answer.err)
    assert "Traceback" not in answer.err
    assert answer.err.strip()
    return answer.err
