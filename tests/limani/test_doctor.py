"""The doctor: each thing that can be wrong is named, with its mending; it changes nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import create_engine, text

from config.settings import DEFAULT_PROFILE, load_settings
from limani.checkup.finding import Level
from limani.checkup.outside import look_at_database
from sandbox.server import Server
from store.clock import ManualClock, SystemClock
from store.database import Database, open_database
from store.ids import Ids
from store.vault import Vault, new_key
from tests.bot.floor import make_floor
from tests.conftest import KEY
from tests.limani.command import Shell, sentence

Findings = dict[str, list[dict[str, str]]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def examine(shell: Shell) -> tuple[int, Findings]:
    answer = shell.run("doctor", "--json")
    found: Findings = {}
    for finding in json.loads(answer.out):
        found.setdefault(finding["about"], []).append(finding)
    return answer.code, found


def levels(findings: Findings, about: str) -> list[str]:
    return [finding["level"] for finding in findings[about]]


def test_a_fresh_machine_has_warnings_and_no_error(shell: Shell) -> None:
    code, found = examine(shell)
    assert code == 0
    everything = [finding for findings in found.values() for finding in findings]
    assert {finding["level"] for finding in everything} == {"ok", "warning"}
    assert all(finding["mend"] for finding in everything if finding["level"] != "ok")
    assert levels(found, "database") == ["warning"]
    assert not (shell.folder / "limani.db").exists(), "the doctor only looks"


def test_a_person_reads_lines(shell: Shell) -> None:
    answer = shell.run("doctor")
    assert answer.code == 0
    assert "warning  telephone" in answer.out
    assert "-> set LIMANI_TWILIO_ACCOUNT_SID" in answer.out


def test_after_migrate_the_database_is_well(shell: Shell) -> None:
    assert shell.run("migrate").code == 0
    code, found = examine(shell)
    assert code == 0
    for about in ("database", "seal", "clock", "flows", "policy"):
        assert levels(found, about) == ["ok"], found[about]
    assert levels(found, "accounts") == ["warning"]


def test_wrong_settings_are_said_by_every_command_alike(shell: Shell) -> None:
    shell.env["LIMANI_PORT"] = "many"
    assert "LIMANI_PORT" in sentence(shell.run("doctor", "--json"))


def test_no_keys(shell: Shell) -> None:
    del shell.env["LIMANI_SECRET_KEYS"]
    code, found = examine(shell)
    assert (code, levels(found, "keys")) == (1, ["error"])
    assert "limani keys new" in found["keys"][0]["mend"]


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://limani.heraklion.gr", "ok"),
        ("http://127.0.0.1:8080", "warning"),
        ("http://limani.heraklion.gr", "error"),
    ],
)
def test_the_public_address(shell: Shell, url: str, level: str) -> None:
    shell.env["LIMANI_PUBLIC_URL"] = url
    code, found = examine(shell)
    assert (code, levels(found, "address")) == (int(level == "error"), [level])


def test_a_file_that_is_no_database(shell: Shell) -> None:
    (shell.folder / "limani.db").write_bytes(b"no database" * 500)
    code, found = examine(shell)
    assert (code, levels(found, "database")) == (1, ["error"])


def test_a_server_that_is_not_there(shell: Shell) -> None:
    shell.env["LIMANI_DATABASE_URL"] = "postgresql://limani:hidden@127.0.0.1:1/limani"
    code, found = examine(shell)
    assert (code, levels(found, "database")) == (1, ["error"])
    assert "hidden" not in json.dumps(found)


@pytest.mark.parametrize(("revision", "level"), [("0000", "warning"), ("9999", "error")])
def test_a_schema_of_another_release(shell: Shell, revision: str, level: str) -> None:
    shell.run("migrate")
    engine = create_engine(shell.env["LIMANI_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    engine.dispose()
    assert levels(examine(shell)[1], "database") == [level]


def test_broken_yaml_is_named_with_its_line(shell: Shell) -> None:
    profile = shell.folder / "town"
    shutil.copytree(DEFAULT_PROFILE, profile)
    file = profile / "hotlines.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines, "broken: [", ""]), encoding="utf-8")
    shell.env["LIMANI_PROFILE"] = str(profile)
    code, found = examine(shell)
    assert (code, levels(found, "profile")) == (1, ["error"])
    assert f"hotlines.yaml:{len(lines) + 2}" in found["profile"][0]["says"]


def roster(shell: Shell, words: str) -> Findings:
    file = shell.folder / "roster.yaml"
    file.write_text(words, encoding="utf-8")
    shell.env["LIMANI_ROSTER"] = str(file)
    return examine(shell)[1]


def test_gaps_and_people_who_cannot_be_rung(shell: Shell) -> None:
    found = roster(
        shell,
        "people:\n"
        "  eleni: {name: Eleni, phone: '+306900000001'}\n"
        "  nikos: {name: Nikos}\n"
        "shifts:\n"
        "  - {days: mon-fri, from: '09:00', to: '21:00', order: [eleni]}\n",
    )
    says = " | ".join(finding["says"] for finding in found["roster"])
    assert "gaps in the next 14 days" in says
    assert "without a phone: nikos" in says
    assert "no supervisor" in says


def test_an_empty_roster_is_valid_and_warned_of(shell: Shell) -> None:
    found = roster(shell, "people: {}\nshifts: []\n")
    assert levels(found, "roster")[:2] == ["ok", "warning"]


def test_a_broken_roster_is_named_with_its_line(shell: Shell) -> None:
    found = roster(
        shell, "people: {}\nshifts:\n  - {days: mon, from: '09:00', to: '10:00', order: [ghost]}\n"
    )
    assert levels(found, "roster") == ["error"]
    assert "roster.yaml:3" in found["roster"][0]["says"]


def test_providers_that_do_not_answer(shell: Shell) -> None:
    shell.env |= {
        "LIMANI_TELEGRAM_TOKEN": "1:veiled",
        "LIMANI_TELEGRAM_SECRET": "covered",
        "LIMANI_TELEGRAM_API_URL": "http://127.0.0.1:1",
        "LIMANI_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    code, found = examine(shell)
    assert (code, levels(found, "telegram"), levels(found, "redis")) == (1, ["error"], ["warning"])
    assert not any(word in json.dumps(found) for word in ("veiled", "covered"))
    assert found["channels"][0]["says"] == "web, telegram"


async def test_a_provider_that_answers_anything_is_reached() -> None:
    from limani.checkup.outside import look_at_providers

    async with Server(web.Application()) as server:
        settings = load_settings(
            viber_token="token", viber_api_url=server.url, rasa_url=server.url, secret_keys=KEY
        )
        found = await look_at_providers(settings)
    assert [(finding.about, finding.level) for finding in found] == [("viber", "ok"), ("rasa", "ok")]


async def test_the_clock_and_the_keys_are_held_against_the_records(
    database: Database, database_url: str, ids: Ids, vault: Vault
) -> None:
    now = SystemClock().now()
    floor = make_floor(database, ManualClock(now), ids, vault)
    await floor.open_ticket(await floor.meet(), "HRK-7F3K")

    async def seen(at: datetime, keys: str = KEY) -> dict[str, Level]:
        settings = load_settings(database_url=database_url, secret_keys=keys)
        return {finding.about: finding.level for finding in await look_at_database(settings, at)}

    good = await seen(SystemClock().now())
    assert (good["database"], good["clock"], good["seal"]) == (Level.ok, Level.ok, Level.ok)
    assert (await seen(now - timedelta(minutes=5)))["clock"] == Level.error
    assert (await seen(now, new_key()))["seal"] == Level.error


def test_looking_leaves_no_trace(shell: Shell) -> None:
    async def main() -> None:
        database = await open_database(shell.env["LIMANI_DATABASE_URL"])
        await database.close()

    asyncio.run(main())
    before = (shell.folder / "limani.db").read_bytes()
    examine(shell)
    assert (shell.folder / "limani.db").read_bytes() == before
