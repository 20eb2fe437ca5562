"""A bad day: Twilio refuses, breaks or forgets, the store is away, the process dies between two lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from escalation.attempts import MOST_TRIES
from escalation.room import open_escalation
from sandbox.faults import Fault
from sandbox.twilio_call import Call
from store.database import StoreUnavailable
from store.schema import attempts
from tests.escalation.conftest import PHONES, Opens, Room

ONE_LONG_STEP = "steps: [{who: first, by: [voice], for: 5m}]\nrepeat: 1\n"


def refusal(status: int, code: int) -> Fault:
    return Fault.status(status, json.dumps({"code": code, "message": "no", "status": status}))


@pytest.mark.parametrize(
    ("fault", "final"),
    [(Fault.status(500), "unknown"), (refusal(400, 20001), "failed"), (Fault.rate_limited(), "failed")],
)
async def test_a_refused_or_unknown_request_is_repeated_within_25_seconds_at_most_six_times(
    open_room: Opens, fault: Fault, final: str
) -> None:
    room: Room = await open_room(policy=ONE_LONG_STEP)
    room.twilio.faults.add("/Calls.json", fault, times=None)
    await room.red()
    await room.settle()
    counts = []
    for _ in range(60):
        counts.append(room.calls_to("eleni"))
        await room.after(1)
    assert counts[0] == 1
    assert counts[3] == 2
    assert counts[25] == MOST_TRIES == counts[-1]
    assert (await room.story())[0] == ("eleni", "voice", final)


async def test_when_twilio_comes_back_the_repeat_rings(room: Room) -> None:
    room.twilio.faults.add("/Calls.json", Fault.status(503), times=2)
    await room.red()
    await room.settle()
    for _ in range(6):
        await room.after(1)
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    voices = [outcome for _, by, outcome in await room.story() if by == "voice"]
    assert voices == ["unknown", "unknown", "acknowledged"]


async def test_a_call_whose_answer_was_lost_is_known_by_its_callbacks_and_not_made_twice(room: Room) -> None:
    room.twilio.faults.add("/Calls.json", Fault.reset(after_commit=True))
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    await call.told()
    await room.after(10)
    assert room.calls_to("eleni") == 1
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"
    await room.settle()
    first, text, *repeats = await room.story()
    assert (first, text) == (("eleni", "voice", "acknowledged"), ("eleni", "sms", "cancelled"))
    # A callback that comes before the lost answer is noticed leaves no repeat to call off.
    assert repeats in ([], [("eleni", "voice", "cancelled")])


async def test_a_number_that_does_not_exist_holds_nobody_up(room: Room) -> None:
    room.twilio.faults.add(PHONES["eleni"], refusal(400, 21211), times=None)
    await room.red()
    await room.settle()
    await room.settle()
    await room.phone("nikos").rings()
    for _ in range(26):
        await room.after(1)
    assert room.calls_to("eleni") == MOST_TRIES


async def test_a_refused_account_means_that_nobody_is_promised_a_call_until_it_works_again(
    room: Room,
) -> None:
    duty, now = room.escalation.duty, room.clock.now()
    assert duty.on_call_now(now)
    room.twilio.faults.add("*", refusal(401, 20003), times=2)
    await room.red()
    await room.settle()
    assert not duty.on_call_now(now)
    assert await room.stimuli() == ["page_exhausted"]
    await room.after(3)
    assert duty.on_call_now(now)
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"


async def test_an_account_that_stays_refused_is_tried_again_every_minute(room: Room) -> None:
    room.twilio.faults.add("*", refusal(401, 20003), times=None)
    await room.red()
    for _ in range(59):
        await room.after(1)
    assert room.calls_to("nikos") == 0
    room.twilio.faults.clear()
    await room.after(3)
    await room.phone("eleni").rings()
    assert await room.stimuli() == ["page_exhausted"]


async def test_a_call_that_could_not_be_ended_is_ended_within_five_seconds(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    ended = (one for one in room.twilio.record.events if one["kind"] == "ended")
    room.twilio.faults.add(f"/Calls/{call.sid}.json", Fault.status(500))
    now = room.clock.now()
    await room.do(lambda tx: room.escalation.desk.take(tx, "HRK-7F3K", "nikos", now))
    await room.settle()
    assert next(ended, None) is None
    await room.after(4)
    assert call.status == "canceled"


async def test_an_acknowledgement_while_a_request_is_under_way_ends_the_call_that_comes_of_it(
    room: Room,
) -> None:
    await room.red()
    jobs = (await room.floor.db.write(room.escalation.pager._pass)).jobs
    assert [job.means for job in jobs] == ["voice", "sms"]
    now = room.clock.now()
    await room.do(lambda tx: room.escalation.desk.take(tx, "HRK-7F3K", "nikos", now))
    await room.escalation.pager._send(jobs[0])
    call = await room.phone("eleni").rings()
    await room.settle()
    assert call.status == "canceled"
    assert (await room.attempt("eleni", "voice")).state == "cancelled"


async def test_a_process_that_died_before_its_request_is_made_good_within_five_seconds(room: Room) -> None:
    await room.red()
    await room.floor.db.write(room.escalation.pager._pass)  # rows written, then nothing more
    await room.after(2)
    assert room.calls_to("eleni") == 0
    await room.after(2)
    assert room.calls_to("eleni") == 1
    assert ("eleni", "voice", "unknown") in await room.story()
    await room.phone("eleni").rings()


async def test_a_process_that_died_after_its_request_rings_again_and_both_calls_may_acknowledge(
    room: Room,
) -> None:
    await room.red()
    jobs = (await room.floor.db.write(room.escalation.pager._pass)).jobs
    carrier = room.escalation.pager._carrier
    assert carrier is not None
    await carrier.reach(jobs[0], PHONES["eleni"])  # the answer is never written
    orphan = await room.phone("eleni").rings()
    await orphan.told()
    await room.after(4)
    await orphan.pick_up()
    await orphan.presses_announced_key()
    await orphan.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"
    await room.settle()
    assert room.phone("eleni").ringing == []


async def test_a_second_process_neither_repeats_nor_forgets(room: Room, database: Any) -> None:
    other = open_escalation(room.floor, room.escalation.duty, None, room.url)
    await room.red()
    await room.settle()
    await other.pager.tick()
    await room.settle()
    assert room.calls_to("eleni") == 1
    assert len(await room.rows(attempts)) == 2


class AwayForAWhile:
    """The real store, which does not answer the first few times."""

    def __init__(self, db: Any, times: int) -> None:
        self._db = db
        self.times = times

    async def write(self, work: Callable[[Any], Any]) -> Any:
        self.times -= 1
        if self.times >= 0:
            raise StoreUnavailable("away")
        return await self._db.write(work)


async def answering(room: Room, monkeypatch: pytest.MonkeyPatch, times: int) -> Call:
    """A call that was picked up just before the store went away."""
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.told()
    one = next(route.handler for route in room.escalation.routes if "/call/" in route.path)
    calls = getattr(one, "__self__", None)
    monkeypatch.setattr(calls, "_db", AwayForAWhile(room.floor.db, times))
    return call


async def test_a_key_pressed_while_the_store_is_away_is_not_asked_for_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await answering(room, monkeypatch, 2)
    await call.presses_announced_key()
    assert call.words.count("Μισό λεπτό") == 2
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"


async def test_a_store_that_stays_away_ends_the_call_with_the_truth(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await answering(room, monkeypatch, 99)
    await call.presses_announced_key()
    assert call.over
    assert call.words.endswith("Κάτι δεν λειτουργεί. Ανοίξτε την κονσόλα.")
