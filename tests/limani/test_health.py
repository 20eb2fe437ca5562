"""Alive, able to serve, and the figures: over real HTTP, on both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from bot.channels.webhook import Refusals
from bot.message import Message
from bot.spool import Spool
from bot.waits import set_waits
from config.profile import Profile
from config.settings import DEFAULT_PROFILE, load_settings
from limani import metrics
from limani.health import LOOP_SECONDS, Health
from limani.parts import Parts
from limani.presence import Presence
from limani.web import make_web_app
from store.bell import Bell
from store.clock import ManualClock, monotonic
from store.database import Database
from store.ids import Ids
from store.loop import Loop, Pulse
from store.schema import pages
from store.vault import Vault
from tests.bot.floor import Floor, make_floor, said


class House:
    """Health on a database, asked by HTTP."""

    def __init__(self, floor: Floor, folder: Path) -> None:
        settings = load_settings()
        profile = Profile.load(DEFAULT_PROFILE)
        self.floor, self.pulse, self.refusals = floor, Pulse(), Refusals()
        self.spool = Spool(folder / "spool", floor.vault)
        self.parts = Parts(
            settings,
            profile,
            floor.clock,
            floor.ids,
            floor.vault,
            floor.db,
            Bell(),
            floor.citizens,
            floor.inbox,
            floor.record,
        )
        self.health = Health(self.parts, self.spool, self.pulse, self.refusals)
        self.client: Any = TestClient(TestServer(make_web_app(self.health.routes())))

    async def ready(self) -> tuple[int, dict[str, Any]]:
        response = await self.client.get("/readyz")
        return response.status, await response.json()

    async def figures(self) -> dict[tuple[str, ...], float]:
        text = await self.text()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def text(self) -> str:
        response = await self.client.get("/metrics")
        assert response.status == 200
        assert response.content_type == "text/plain"
        return str(await response.text())


@pytest.fixture
async def house(
    database: Database, clock: ManualClock, ids: Ids, vault: Vault, tmp_path: Path
) -> AsyncIterator[House]:
    made = House(make_floor(database, clock, ids, vault), tmp_path)
    await made.client.start_server()
    yield made
    await made.client.close()


async def test_alive(house: House) -> None:
    response = await house.client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"alive": True})


async def test_ready_when_all_is_well(house: House) -> None:
    house.pulse.beats["turns"] = monotonic()
    assert await house.ready() == (200, {"ready": True, "wrong": [], "warnings": []})


async def test_a_loop_that_stands_still_is_named(house: House) -> None:
    house.pulse.beats = {"turns": monotonic() - LOOP_SECONDS - 1, "sender": monotonic()}
    status, body = await house.ready()
    assert (status, body["wrong"]) == (503, ["loop turns stands still"])


async def test_a_store_that_does_not_answer_is_not_ready(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.database import StoreUnavailable

    async def gone(work: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(type(house.floor.db), "read", lambda self, work: gone(work))
    status, body = await house.ready()
    assert (status, body["wrong"]) == (503, ["the store does not answer"])
    figures = await house.figures()
    assert ("limani_store_up",) not in figures
    assert ("limani_spool_bytes",) in figures


async def test_a_small_spool_is_a_warning_and_a_large_one_is_wrong(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.spool.append(said("1001", "u1"))
    size = house.spool.size()
    status, body = await house.ready()
    assert (status, body["warnings"]) == (200, [f"{size} bytes wait in the spool"])
    monkeypatch.setattr("limani.health.SPOOL_BYTES", size - 1)
    status, body = await house.ready()
    assert (status, body["wrong"]) == (503, [f"{size} bytes wait in the spool"])
    assert (await house.figures())[("limani_spool_bytes",)] == size


async def test_a_red_ticket_in_nobodys_hands_is_told_and_keeps_the_door_open(house: House) -> None:
    floor = house.floor
    ticket = await floor.open_ticket(await floor.meet(), "HRK-7F3K", risk="red", risk_kind="suicide")
    await floor.write(lambda tx: floor.record.need_page(tx, ticket, floor.clock.now()))
    assert (await house.ready())[1]["warnings"] == []
    floor.pass_time(seconds=60)
    status, body = await house.ready()
    assert (status, body["warnings"]) == (200, ["red ticket HRK-7F3K is unattended"])
    assert (await house.figures())[("limani_tickets_unattended",)] == 1
    later = floor.clock.now() + timedelta(minutes=1)
    await floor.write(lambda tx: tx.execute(update(pages).values(due_at=later)))
    assert (await house.ready())[1]["warnings"] == []


async def test_figures_of_an_empty_house(house: House) -> None:
    figures = await house.figures()
    assert figures[("limani_store_up",)] == 1
    queues = [("inbox", ""), ("outbox", "urgent"), ("outbox", "broadcast"), ("waits", ""), ("pages", "")]
    for queue in [*queues, ("attempts", ""), ("attempts_sending", "")]:
        assert figures[("limani_queue_depth", *queue[::-1])] == 0
        assert figures[("limani_queue_oldest_seconds", *queue[::-1])] == 0


async def test_figures_tell_depth_age_and_outcome(house: House) -> None:
    floor = house.floor
    maria, other = await floor.meet("1001"), await floor.meet("2002")
    await floor.open_ticket(maria, "HRK-7F3K", risk="amber")
    await floor.open_ticket(other, "HRK-7F3A")
    await floor.tell(maria, Message("welcome.hello", "Καλημέρα"))
    (claimed,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.sent(tx, claimed, "p1", floor.clock.now()))
    await floor.tell(other, Message("welcome.hello", "Καλημέρα"))
    floor.pass_time(seconds=42)
    house.refusals.refuse("viber")
    house.pulse.begin(Loop("turns", _nothing))
    house.pulse.beat("turns", monotonic())
    house.pulse.miss("turns")
    figures = await house.figures()
    expected = {
        ("limani_queue_depth", "", "inbox"): 2,
        ("limani_queue_oldest_seconds", "", "inbox"): 42,
        ("limani_queue_depth", "ordinary", "outbox"): 1,
        ("limani_queue_oldest_seconds", "ordinary", "outbox"): 42,
        ("limani_tickets", "amber", "open"): 1,
        ("limani_tickets", "none", "open"): 1,
        ("limani_webhooks_refused_total", "viber"): 1,
        ("limani_loop_errors_total", "turns"): 1,
        ("limani_loop_passes_total", "turns"): 1,
        ("limani_loop_seconds_count", "turns"): 1,
    }
    assert {name: figures.get(name) for name in expected} == expected


async def _nothing() -> bool:
    return False


async def test_what_is_due_waits_and_what_is_not_does_not(house: House) -> None:
    floor = house.floor
    citizen = await floor.meet()
    ticket = await floor.open_ticket(citizen, "HRK-7F3K", risk="red")
    await floor.write(lambda tx: floor.record.need_page(tx, ticket, floor.clock.now()))
    await floor.write(lambda tx: set_waits(tx, {citizen: ("t", floor.clock.now() + timedelta(minutes=1))}))
    floor.pass_time(seconds=30)
    figures = await house.figures()
    assert figures[("limani_queue_depth", "", "waits")] == 0
    assert figures[("limani_queue_depth", "", "pages")] == 1
    assert figures[("limani_queue_oldest_seconds", "", "pages")] == 30
    assert figures[("limani_pages", "needed")] == 1
    floor.pass_time(seconds=42)
    figures = await house.figures()
    assert figures[("limani_queue_oldest_seconds", "", "waits")] == 12


async def test_what_a_process_counts_is_told(house: House) -> None:
    figures = house.parts.figures
    figures.count("provider_answers", "telegram", "ok", by=3)
    figures.span(0.02, "provider_seconds", "telegram")
    figures.span(7.0, "provider_seconds", "telegram")
    figures.size(17, "batch_works")
    figures.level(1, "redis_up")
    told = await house.figures()
    expected = {
        ("limani_provider_answers_total", "telegram", "ok"): 3,
        ("limani_provider_seconds_bucket", "telegram", "0.01"): 0,
        ("limani_provider_seconds_bucket", "telegram", "0.025"): 1,
        ("limani_provider_seconds_bucket", "telegram", "+Inf"): 2,
        ("limani_provider_seconds_sum", "telegram"): 7.02,
        ("limani_batch_works_bucket", "16.0"): 0,
        ("limani_batch_works_bucket", "32.0"): 1,
        ("limani_redis_up",): 1,
    }
    assert {name: told.get(name) for name in expected} == expected


async def test_every_figure_that_is_counted_is_known(house: House) -> None:
    """A name that metrics.py does not know would be counted and never told."""
    room = Path(__file__).parents[2]
    known = {*metrics._COUNTS, *metrics._SPANS, *metrics._LEVELS}
    used = set()
    for folder in ("bot", "store", "limani", "escalation", "console"):
        for file in (room / folder).rglob("*.py"):
            used |= set(_COUNTED.findall(file.read_text()))
    assert {"provider_answers", "redis_lost", "pace_shared", "webhook_seconds"} <= used
    assert used <= known


_COUNTED = re.compile(r"figures\.(?:count|span|size|level)\(\s*(?:[^\"\n]*?,\s*)?\"(\w+)\"")


async def test_a_role_that_no_process_has_silences_the_heartbeat_and_closes_no_door(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, db = house.floor.clock, house.floor.db
    await Presence(db, clock, ("web", "worker")).beat()
    await Presence(db, clock, ("pager",)).beat()
    house.floor.pass_time(seconds=30)
    await Presence(db, clock, ("web", "worker")).beat()
    house.floor.pass_time(seconds=30)
    assert (await house.ready())[1]["warnings"] == []  # we have only just started: the others may be starting
    monkeypatch.setattr(house.health._lonely, "_since", monotonic() - 60)
    status, body = await house.ready()
    assert (status, body["warnings"]) == (200, ["no process has the role pager"])
    assert (await house.health.look()).lonely == ["pager"]
    assert (await house.figures())[("limani_role_beat_age_seconds", "pager")] == 60
    await Presence(db, clock, ("pager",)).beat()
    assert (await house.ready())[1]["warnings"] == []


async def test_a_redis_that_is_away_is_a_warning(house: House) -> None:
    house.parts.figures.level(0, "redis_up")
    status, body = await house.ready()
    assert (status, body["warnings"]) == (
        200,
        ["Redis does not answer: wake-ups and rates are this process's own"],
    )


async def test_no_figure_tells_of_a_person(house: House) -> None:
    floor = house.floor
    citizen = await floor.meet("306900000055")
    await floor.open_ticket(citizen, "HRK-7F3K", risk="red", answers={"name": "Μαρία"})
    await floor.tell(citizen, Message("crisis.stay", "Είμαι εδώ"))
    text = await house.text()
    for secret in ("306900000055", "HRK-7F3K", "Μαρία", "Είμαι", str(citizen)):
        assert secret not in text
