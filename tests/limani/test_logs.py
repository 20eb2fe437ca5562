"""A citizen's words never reach a log: errors in every room, with marked words in all that they carry."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, insert

from bot.channels.base import Limits, Outgoing
from bot.channels.telegram_poll import Poll
from bot.message import Message
from bot.sender import Sender
from bot.spool import Spool
from bot.understand import understand
from flows.session import StimulusKind
from limani.logs import REQUEST, quiet_ends, set_up_logs
from limani.web import make_web_app
from sandbox import Fault
from store.bell import Bell
from store.clock import ManualClock
from store.database import open_database
from store.ids import Ids
from store.loop import Loop, Pulse, run
from store.schema import marks
from store.vault import Vault
from tests.bot.floor import make_floor
from tests.outside.product import Product

MARK = "έχω χάπια 7731"
Lines = Callable[[], list[dict[str, Any]]]


class Broken(Exception):
    """An error that carries what it should not."""

    def __init__(self) -> None:
        super().__init__(MARK)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What was logged since, as objects; nothing of it may hold the words."""
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    set_up_logs("debug", role="worker")

    def read() -> list[dict[str, Any]]:
        text = capsys.readouterr().err
        assert MARK not in text
        assert "7731" not in text
        return [json.loads(line) for line in text.splitlines()]

    yield read
    structlog.configure(**before)
    logging.root.handlers[:], logging.root.level = handlers, level


def test_only_known_fields_are_printed_and_no_long_ones(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info("told", text=MARK, body=MARK, phone="7731", answer=MARK, why="x" * 500, count=3)
    (line,) = lines()
    assert (line["event"], line["count"], len(line["why"])) == ("told", 3, 120)
    assert not {"text", "body", "phone", "answer"} & line.keys()


def test_lines_tell_process_role_and_request(lines: Lines) -> None:
    token = REQUEST.set(17)
    structlog.get_logger().warning("told")
    REQUEST.reset(token)
    structlog.get_logger().warning("told", role="pager")
    first, second = lines()
    assert (first["role"], first["request"]) == ("worker", 17)
    assert (second["role"], second.get("request")) == ("pager", None)
    assert first["process"] == second["process"] > 0


def test_what_libraries_say_is_named_and_not_repeated(lines: Lines) -> None:
    try:
        raise Broken
    except Broken:
        logging.getLogger("aiohttp.server").exception("Error handling request %s", MARK)
    logging.getLogger("sqlalchemy.pool").warning("lost %s", MARK)
    first, second = lines()
    assert (first["name"], first["error"]) == ("aiohttp.server", "Broken")
    assert second["name"] == "sqlalchemy.pool"


def test_what_nobody_catches_is_named_too(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(owner, hook, getattr(owner, hook))  # put back at the end
    quiet_ends()
    try:
        raise Broken
    except Broken as error:
        given = SimpleNamespace(exc_type=Broken, exc_value=error, exc_traceback=error.__traceback__)
        sys.excepthook(Broken, error, error.__traceback__)
        sys.unraisablehook(given)
        threading.excepthook(given)  # type: ignore[arg-type]
    told = lines()
    assert [line["error"] for line in told] == ["Broken"] * 3
    assert all(line["where"].rpartition("/")[2].startswith("test_logs.py:") for line in told)


async def test_a_loop_a_request_and_a_forgotten_task(lines: Lines) -> None:
    async def broken(*_: Any) -> Any:
        raise Broken

    loop = asyncio.create_task(run(Loop("turns", broken, every=0.01), Bell(), Pulse()))
    app = make_web_app([web.post("/webhooks/{what}", broken)])
    async with TestClient(TestServer(app)) as client:
        url = f"/webhooks/{MARK}?q={MARK}"
        async with client.post(url, data=MARK.encode(), headers={"X-Said": "7731"}) as answer:
            assert (answer.status, await answer.text()) == (500, "")
    forgotten = asyncio.create_task(broken())
    with suppress(Broken):
        await asyncio.wait([forgotten])
    asyncio.get_running_loop().call_exception_handler({"message": MARK, "exception": Broken()})
    await asyncio.sleep(0.05)
    loop.cancel()
    with pytest.raises(Broken):
        forgotten.result()
    told = {line["event"]: line for line in lines()}
    assert told["loop_failed"]["where"].rpartition("/")[2].startswith("test_logs.py:")
    assert told["request_failed"]["path"] == "/webhooks/{what}"
    assert told["request_failed"]["request"] > 0
    assert told["library"]["name"] == "asyncio"


class _Reader:
    def read(self, text: str) -> Any:
        raise Broken


class _Channel:
    name = "telegram"
    limits = Limits(4096, 40, 30, 1000, 1000)

    async def send(self, address: str, message: Outgoing) -> str:
        raise Broken

    async def answers(self) -> bool:
        return True

    def routes(self) -> list[web.RouteDef]:
        return []

    async def start(self, *, listens: bool = True) -> None:
        return None

    async def stop(self) -> None:
        return None


class _Source:
    async def drop_webhook(self) -> None:
        return None

    async def get_updates(self, offset: int, seconds: int, kinds: tuple[str, ...]) -> list[Any]:
        raise Broken


async def test_the_rooms_of_the_conversation(
    lines: Lines, sqlite_url: str, clock: ManualClock, ids: Ids, vault: Vault, tmp_path: Path
) -> None:
    """Understanding, sending, polling, the spool, and a statement that the database refuses."""
    assert understand(_Reader(), StimulusKind.said, MARK) is not None
    database = await open_database(sqlite_url)
    floor = make_floor(database, clock, ids, vault)
    await floor.tell(await floor.meet(), Message("welcome.hello", MARK))
    sender = Sender(
        *(database, Bell(), clock, ids, floor.outbox, floor.citizens, floor.record, {"telegram": _Channel()})
    )
    await sender.tick()
    await sender.stop()
    poll = asyncio.create_task(Poll(_Source(), lambda _raw: asyncio.sleep(0)).run())
    (tmp_path / "spool").write_bytes(b"77317731\n")
    assert Spool(tmp_path / "spool", vault).read()[0] == []

    def twice(tx: Connection) -> None:
        for _ in range(2):
            tx.execute(insert(marks).values(name=MARK, value=MARK, at=clock.now()))

    async def refused() -> bool:
        await database.write(twice)
        return False

    loop = asyncio.create_task(run(Loop("waits", refused, every=0.01), Bell(), Pulse()))
    await asyncio.sleep(0.1)
    for task in (poll, loop):
        task.cancel()
    await database.close()
    told = {line["event"]: line for line in lines()}
    assert told["loop_failed"]["error"] == "IntegrityError"
    for event in ("reader_failed", "channel_failed", "poll_failed", "spool_line_unread"):
        assert event in told


async def test_a_running_product_at_its_most_talkative(tmp_path: Path) -> None:
    """Every channel says marked words while providers answer with errors that repeat them."""
    url = f"sqlite:///{tmp_path / 'limani.db'}"
    async with Product(tmp_path, url, extra={"LIMANI_LOG_LEVEL": "debug"}, patience=60) as product:
        echo = json.dumps({"ok": False, "error_code": 400, "description": f"Bad Request: {MARK}"})
        product.telegram.faults.add("*", Fault.status(400, echo), times=2)
        product.viber.faults.add("*", Fault.status(200, json.dumps({"status": 3, "status_message": MARK})))
        broken = json.dumps({"code": 21211, "message": MARK, "status": 400})
        product.twilio.faults.add("*", Fault.status(400, broken), times=3)
        product.twilio.faults.add("*", Fault.garbage())
        phone, viber = product.telegram.phone(1), product.viber.phone("v1")
        await phone.says(f"θέλω να πεθάνω, {MARK}", wait=False)
        await viber.says(f"δεν αντέχω, {MARK}", wait=False)
        await phone.sends_photo(MARK)
        await phone.posts({"update_id": 5, "message": {"text": MARK, "chat": MARK}})
        await phone.posts({MARK: MARK})
        async with asyncio.timeout(30):
            while "page_refused" not in product.log() or "page_unsure" not in product.log():
                await asyncio.sleep(0.1)
        log = product.log()
    for words in (MARK, "7731", "πεθάνω", "αντέχω", "+3069"):
        assert words not in log
