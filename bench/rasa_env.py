"""Rasa, as the peer: its own environment and its trained models, built once and kept under var/bench.

Rasa 3.6 pins packages that are years older than ours, so it never shares our environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench import cores, servers
from bench.run import CACHE, RowFailed, say
from bench.servers import ROOT, Server

PROJECT = Path(__file__).parent / "rasa"
CORPUS = ROOT / "nlu" / "data"
PLACE = CACHE / "rasa"
_QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


async def environment() -> Path:
    """The folder of Rasa's own Python, installed from the locked file. Raises RowFailed."""
    lock = PROJECT / "rasa.txt"
    mark = PLACE / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    home = PLACE / "venv"
    if not mark.exists() or mark.read_text() != wanted:
        say("  Rasa is installed into an environment of its own (once; some minutes)")
        PLACE.mkdir(parents=True, exist_ok=True)
        await _run(_uv(), "venv", "--quiet", "--clear", "--python", "3.11", str(home))
        # The lock was made with overrides: what the packages ask of each other is settled already.
        install = (_uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(lock))
        await _run(*install, VIRTUAL_ENV=str(home), UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1")
        mark.write_text(wanted)
    return home


async def model(config: str, *data: Path) -> Path:
    """The model of a config file of bench/rasa, trained if anything that it is made of has changed."""
    home = await environment()
    files = [PROJECT / config, PROJECT / "domain.yml", PROJECT / "rasa.txt"]
    files += [file for each in data for file in ([each] if each.is_file() else sorted(each.glob("*.yml")))]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    out = PLACE / f"model-{key}"
    if not (out / "model.tar.gz").exists():
        say(f"  Rasa is trained with {config} (once)")
        paths = [str(file) for file in data]
        command = (str(home / "bin" / "python"), "-m", "rasa", "train", "--data", *paths)
        where = ("--config", str(PROJECT / config), "--domain", str(PROJECT / "domain.yml"))
        await _run(*command, *where, "--out", str(out), "--fixed-model-name", "model", "--quiet")
    return out / "model.tar.gz"


async def with_diet() -> Path:
    """Words, pieces of words and DIET, from the same examples that our own understanding learns from."""
    return await model("config.yml", PROJECT / "data", CORPUS)


async def with_keywords() -> Path:
    """A list of keywords."""
    return await model("config-keywords.yml", PROJECT / "data", PROJECT / "keywords.yml")


@asynccontextmanager
async def rasa(name: str, trained: Path, folder: Path) -> AsyncIterator[Server]:
    """A Rasa server with its REST channel, ready, on the same core as ours."""
    async with servers.running(await start(name, trained, folder)) as server:
        await servers.ready(server, folder / f"{name}.log", "/", 180)
        yield server


async def start(name: str, trained: Path, folder: Path, on: tuple[int, ...] = (cores.SERVER,)) -> Server:
    """Starts it; does not wait. On one core its TensorFlow needs no second thread."""
    folder.mkdir(parents=True, exist_ok=True)
    port = servers.free_port()
    python = str(await environment() / "bin" / "python")
    command = (python, "-m", "rasa", "run", "--model", str(trained), "--port", str(port))
    more = ("--interface", "127.0.0.1", "--credentials", str(PROJECT / "credentials.yml"))
    ends = ("--endpoints", str(PROJECT / "endpoints.yml"))
    threads = {"TF_INTRA_OP_PARALLELISM_THREADS": "1", "TF_INTER_OP_PARALLELISM_THREADS": "1"}
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | _QUIET | threads
    log = folder / f"{name}.log"
    return await servers.start(name, (*command, *more, *ends), clean, port, log, wired=False, on=on)


def _uv() -> str:
    own = Path(sys.executable).parent / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise RowFailed("uv is not there, so Rasa cannot be installed")
    return found


async def _run(*command: str, **more: str) -> None:
    """Runs it on both cores. Raises RowFailed with its last words."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**clean, **_QUIET, **more},
        cwd=PLACE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    os.sched_setaffinity(process.pid, range(os.cpu_count() or 1))
    out, _ = await process.communicate()
    if process.returncode:
        raise RowFailed(f"{Path(command[0]).name} {command[1]}: {out.decode(errors='replace')[-600:]}")
