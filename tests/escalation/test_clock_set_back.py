"""Somebody sets the clock back: nobody waits for an hour that is there twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.faults import Fault
from tests.escalation.conftest import Room


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
async def test_the_next_person_is_asked_although_the_step_seems_to_last_for_hours(
    room: Room, back: timedelta
) -> None:
    await room.red()
    await room.settle()
    await room.phone("eleni").rings()
    room.clock.advance(-back)
    await room.after(1)
    await room.after(1)
    await room.phone("nikos").rings()


async def test_a_small_step_back_only_lengthens_the_present_step(room: Room) -> None:
    await room.red()
    await room.settle()
    await room.phone("eleni").rings()
    room.clock.advance(-timedelta(seconds=30))
    await room.after(1)
    assert room.calls_to("nikos") == 0


async def test_a_request_that_failed_is_made_again_although_it_seems_to_be_due_in_an_hour(room: Room) -> None:
    room.twilio.faults.add("/Calls.json", Fault.status(503))
    await room.red()
    await room.settle()
    assert room.calls_to("eleni") == 1
    room.clock.advance(-timedelta(hours=1))
    await room.after(1)
    await room.settle()
    assert room.calls_to("eleni") + room.calls_to("nikos") >= 2


async def test_the_second_clock_begins_again(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    before = await room.page()
    room.clock.advance(-timedelta(hours=1))
    await room.after(1)
    after = await room.page()
    assert after.acknowledged_by == "eleni"
    assert after.contact_due_at < before.contact_due_at - timedelta(minutes=50)
