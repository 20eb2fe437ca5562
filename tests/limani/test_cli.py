"""Bad input of every command: a clear sentence on stderr, exit code 2, never a traceback."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.citizens import Citizens
from bot.inbox import Inbox
from store.clock import SystemClock
from store.database import open_database
from store.ids import Ids
from store.vault import Vault, new_key
from tests.bot.floor import said
from tests.conftest import KEY
from tests.limani.command import Shell, sentence
from tickets.record import Case, Record


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def tell_a_story(shell: Shell, ref: str = "HRK-7F3K", *, close: bool = False) -> None:
    """A ticket with words, in the shell's database."""
    clock = SystemClock()
    vault, ids = Vault([KEY]), Ids(clock)
    record, citizens = Record(vault, ids), Citizens(vault, ids)

    def work(tx: Connection) -> None:
        now = clock.now()
        Inbox(vault, ids, citizens).put(tx, said("1001", ref, "δεν έχω φαγητό"), now)
        citizen = citizens.find(tx, "telegram", "1001")
        assert citizen is not None
        case = Case(ref, citizen, "food_aid", "none", None, "telegram", "el", {"name": "Μαρία"})
        ticket = record.open(tx, case, now)
        record.add(tx, ticket, "citizen", "said", "δεν έχω φαγητό", now)
        if close:
            record.close(tx, ticket, "nikos", "helped", now)

    async def main() -> None:
        database = await open_database(shell.env["LIMANI_DATABASE_URL"])
        await database.write(work)
        await database.close()

    asyncio.run(main())


NEEDS_DATABASE = [
    ("tickets", "list"),
    ("tickets", "show", "HRK-7F3K"),
    ("tickets", "export"),
    ("tickets", "note", "HRK-7F3K", "--as", "nikos", "λόγια"),
    ("erase", "HRK-7F3K", "--yes"),
    ("retention", "--days", "90"),
    ("keys", "rotate"),
    ("people", "list"),
    ("drill", "--wait", "10"),
]


@pytest.mark.parametrize("words", [*NEEDS_DATABASE, ("migrate",), ("doctor",), ("roster", "show")])
def test_wrong_settings_are_told_all_at_once(shell: Shell, words: tuple[str, ...]) -> None:
    shell.env |= {"LIMANI_PORT": "many", "LIMANI_DATABASE_URL": "mysql://x", "LIMANI_SECRET_KEYS": "short"}
    said_no = sentence(shell.run(*words))
    for name in ("LIMANI_PORT", "LIMANI_DATABASE_URL", "LIMANI_SECRET_KEYS"):
        assert name in said_no
    assert "short" not in said_no


@pytest.mark.parametrize("words", NEEDS_DATABASE)
def test_without_keys(shell: Shell, words: tuple[str, ...]) -> None:
    del shell.env["LIMANI_SECRET_KEYS"]
    assert "LIMANI_SECRET_KEYS" in sentence(shell.run(*words))


@pytest.mark.parametrize("words", [*NEEDS_DATABASE, ("migrate",)])
def test_a_database_that_is_none(shell: Shell, words: tuple[str, ...]) -> None:
    (shell.folder / "junk.db").write_bytes(b"this is no database, whatever its name says" * 100)
    shell.env["LIMANI_DATABASE_URL"] = f"sqlite:///{shell.folder}/junk.db"
    assert len(sentence(shell.run(*words)).splitlines()) == 1


@pytest.mark.parametrize("words", [("tickets", "list"), ("tickets", "show", "HRK-7F3K"), ("keys", "rotate")])
def test_another_key_than_the_one_that_sealed(shell: Shell, words: tuple[str, ...]) -> None:
    tell_a_story(shell)
    shell.env["LIMANI_SECRET_KEYS"] = new_key()
    assert "LIMANI_SECRET_KEYS" in sentence(shell.run(*words))


@pytest.mark.parametrize(
    "words",
    [
        ("tickets", "show", "HRK-XXXX"),
        ("tickets", "show", ""),
        ("tickets", "show", "'; DROP TABLE tickets; --"),
        ("tickets", "take", "HRK-XXXX", "--as", "nikos"),
        ("tickets", "reply", "HRK-XXXX", "--as", "nikos", "γεια"),
        ("tickets", "note", "HRK-XXXX", "--as", "nikos", "γεια"),
        ("tickets", "close", "HRK-XXXX", "--as", "nikos", "--outcome", "helped"),
        ("erase", "HRK-XXXX", "--yes"),
    ],
)
def test_an_unknown_reference(shell: Shell, words: tuple[str, ...]) -> None:
    tell_a_story(shell)
    assert "no ticket" in sentence(shell.run(*words))


@pytest.mark.parametrize(
    "words",
    [
        ("tickets", "take", "HRK-7F3K", "--as", "nobody"),
        ("tickets", "reply", "HRK-7F3K", "--as", "nikos", "   "),
        ("tickets", "close", "HRK-7F3K", "--as", "nikos", "--outcome", "two words"),
        ("tickets", "list", "--status", "lost"),
        ("tickets", "list", "--risk", "green"),
        ("tickets", "export", "--format", "pdf"),
        ("tickets", "export", "--format", "xlsx"),
        ("tickets", "export", "--out", "/proc/nowhere/x"),
        ("people", "disable", "nobody"),
        ("people", "add", "nikos", "--role", "king"),
        ("erase", "HRK-7F3K"),
        ("erase", "HRK-7F3K", "--yes"),
        ("flows", "draw", "nowhere"),
        ("flows", "check", "--folder", "/nowhere"),
        ("understand", "--engine", "oracle"),
        ("roster", "show", "--at", "tomorrow"),
        ("serve", "--role", "king"),
    ],
)
def test_what_makes_no_sense(shell: Shell, words: tuple[str, ...]) -> None:
    tell_a_story(shell)
    said_no = sentence(shell.run(*words))
    assert "φαγητό" not in said_no


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("tickets", "nonsense"),
        ("tickets", "show"),
        ("retention", "--days", "0"),
        ("retention", "--days", "-5"),
        ("retention", "--days", "soon"),
        ("drill", "--wait", "1"),
        ("roster", "check", "--days", "0"),
        ("roster", "ics", "--days", "99999"),
        ("doctor", "--nonsense"),
    ],
)
def test_words_that_no_command_knows(shell: Shell, words: tuple[str, ...]) -> None:
    sentence(shell.run(*words))


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("tickets", "show", "\udcff"), b""),
        (("nonsense",), b""),
        (("retention", "--days", "0"), b""),
        (("erase", "HRK-XXXX", "--yes"), b""),
        (("roster", "show", "--at", "\udcff"), b""),
    ],
)
def test_the_process_itself_says_no_in_one_sentence(
    shell: Shell, words: tuple[str, ...], stdin: bytes
) -> None:
    answer = shell.start(*words, stdin=stdin)
    assert len(sentence(answer).strip().splitlines()) == 1
    assert answer.out == ""


def test_understand_takes_any_bytes(shell: Shell) -> None:
    lines = ["πεινάω".encode(), b"\xff\xfe\x00broken", b"", "😀".encode(), b"a" * 80_000]
    answer = shell.start("understand", stdin=b"\n".join(lines) + b"\n")
    assert answer.code == 0, answer.err
    read = [json.loads(line) for line in answer.out.splitlines()]
    assert [one["text"] for one in read] == [line.decode("utf-8", "replace") for line in lines]
    assert (read[2]["intent"], read[2]["risk"]) == ("other", "none")
    assert all(one["risk"] in ("none", "amber", "red") for one in read)


def test_reads_are_for_programs_too(shell: Shell) -> None:
    tell_a_story(shell)
    (listed,) = json.loads(shell.run("tickets", "list", "--json").out)
    shown = json.loads(shell.run("tickets", "show", "hrk-7f3k", "--json").out)
    assert listed == shown
    assert shown["entries"][-1]["text"] == "δεν έχω φαγητό"
    assert json.loads(shell.run("tickets", "export").out) == shown


def test_an_export_to_a_file(shell: Shell) -> None:
    tell_a_story(shell)
    out = shell.folder / "log.csv"
    assert shell.run("tickets", "export", "--format", "csv", "--out", str(out)).code == 0
    assert "Μαρία" in out.read_text(encoding="utf-8-sig")


def test_migrate_makes_the_tables_and_needs_no_keys(shell: Shell) -> None:
    del shell.env["LIMANI_SECRET_KEYS"]
    for _ in range(2):
        assert shell.run("migrate").code == 0
    assert (shell.folder / "limani.db").is_file()


def test_keys_are_made_and_changed(shell: Shell) -> None:
    tell_a_story(shell)
    fresh = shell.run("keys", "new").out.strip()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}=", fresh)
    shell.env["LIMANI_SECRET_KEYS"] = f"{fresh},{KEY}"
    assert shell.run("keys", "rotate").code == 0
    shell.env["LIMANI_SECRET_KEYS"] = fresh
    assert json.loads(shell.run("tickets", "show", "HRK-7F3K", "--json").out)["answers"] == {"name": "Μαρία"}


def test_a_closed_case_is_erased_and_an_open_one_is_not(shell: Shell) -> None:
    tell_a_story(shell)
    assert "HRK-7F3K" in sentence(shell.run("erase", "HRK-7F3K", "--yes"))
    assert shell.run("tickets", "close", "HRK-7F3K", "--as", "nikos", "--outcome", "helped").code == 0
    assert "--yes" in sentence(shell.run("erase", "HRK-7F3K", stdin=""))
    assert shell.run("erase", "hrk-7f3k", "--yes").code == 0
    shown = json.loads(shell.run("tickets", "show", "HRK-7F3K", "--json").out)
    assert (shown["answers"], shown["outcome"]) == ({}, "helped")
    assert "φαγητό" not in json.dumps(shown, ensure_ascii=False)


def test_retention_says_what_it_did(shell: Shell) -> None:
    tell_a_story(shell, close=True)
    answer = shell.run("retention", "--days", "30")
    assert (answer.code, answer.out) == (0, "0 values are empty now, and 0 citizens are strangers again\n")


def test_a_drill_without_a_server_takes_back_what_it_began(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limani.commands.drill.TAKEN_WITHIN", 0.5)
    assert "limani serve" in sentence(shell.run("drill", "--wait", "10"))
    assert json.loads(shell.run("tickets", "list", "--json").out) == []
    assert shell.run("drill", "--wait", "10").code == 2


def test_a_drill_with_a_server_shows_its_times(shell: Shell) -> None:
    shell.env["LIMANI_PORT"] = "0"
    with shell.beside("serve"):
        taken: list[str] = []
        with shell.beside("drill", "--wait", "40", "--json") as drill:
            while drill.poll() is None:
                waiting = json.loads(shell.run("tickets", "list", "--status", "open", "--json").out)
                for ticket in waiting:
                    taken.append(ticket["ref"])
                    assert shell.run("tickets", "take", ticket["ref"], "--as", "nikos").code in (0, 2)
            assert drill.stdout is not None
            seen = json.loads(drill.stdout.read())
    assert (drill.returncode, seen["by"], seen["ref"]) == (0, "nikos", taken[0])
    assert seen["stored"] <= seen["turn_done"] <= seen["acknowledged"]
    (ticket,) = json.loads(shell.run("tickets", "list", "--json").out)
    assert (ticket["status"], ticket["outcome"], ticket["risk"]) == ("closed", "drill", "red")
