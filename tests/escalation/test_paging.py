"""From "a human is needed" to "somebody has it", on a real database against Twilio's stand-in."""

from __future__ import annotations

from tests.escalation.conftest import Room


async def test_a_red_case_rings_texts_and_is_acknowledged_by_two_keys(room: Room) -> None:
    await room.red()
    await room.settle()
    phone = room.phone("eleni")
    call = await phone.rings()
    text = await phone.expects_sms("HRK-7F3K")
    assert "/a/" in text.body
    assert await room.story() == [("eleni", "voice", "ringing"), ("eleni", "sms", "ringing")]

    await call.pick_up()
    assert await call.presses_announced_key()
    assert (await room.page()).state == "ringing"
    assert await call.presses_announced_key()

    assert (await room.page()).acknowledged_by == "eleni"
    await room.settle()
    assert await room.story() == [("eleni", "voice", "acknowledged"), ("eleni", "sms", "cancelled")]
    ticket = await room.ticket()
    assert (ticket["status"], ticket["assigned_to"]) == ("assigned", "eleni")
    assert await room.stimuli() == ["page_acknowledged"]
    assert call.over


async def test_without_an_answer_the_next_person_rings_after_the_steps_time(room: Room) -> None:
    await room.red()
    await room.settle()
    await room.phone("eleni").rings()
    await room.after(59)
    assert room.calls_to("nikos") == 0
    await room.after(1)
    await room.phone("nikos").rings()
    assert ("eleni", "voice", "unanswered") in await room.story()
    assert room.phone("eleni").ringing == []
