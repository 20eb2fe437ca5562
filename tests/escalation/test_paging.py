"""From "a human is needed" to "somebody has it", on a real database against Twilio's stand-in."""

from __future__ import annotations

from datetime import timedelta

from escalation.policy import Policy, PolicyStep
from store.schema import attempts, pages
from tests.escalation.conftest import ROSTER, Opens, Room


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


async def test_after_all_rounds_the_alarm_sounds_the_citizen_is_told_once_and_it_rings_on(room: Room) -> None:
    await room.red()
    await room.settle()
    for _ in range(3):
        for seconds in (60, 60, 120):
            await room.after(seconds)
    page = await room.page()
    assert page.state == "exhausted"
    assert [room.calls_to(person) for person in ("eleni", "nikos", "dora")] == [3, 3, 3]
    assert await room.stimuli() == ["page_exhausted"]
    ticket = await room.ticket()
    assert (ticket["status"], ticket["assigned_to"]) == ("open", None)

    await room.after(299)
    assert room.calls_to("eleni") == 3
    await room.after(1)
    assert room.calls_to("eleni") == 4
    assert (await room.page()).state == "exhausted"
    call = room.phone("eleni").ringing[-1]
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    assert (await room.page()).acknowledged_by == "eleni"
    assert await room.stimuli() == ["page_exhausted", "page_acknowledged"]


async def test_nobody_to_ring_sounds_the_alarm_at_once(open_room: Opens) -> None:
    room: Room = await open_room(roster="people: {}\nshifts: []\n")
    assert not room.escalation.duty.on_call_now(room.clock.now())
    await room.red()
    await room.settle()
    assert (await room.page()).state == "exhausted"
    assert await room.stimuli() == ["page_exhausted"]


async def test_a_supervisor_is_rung_although_nobody_is_on_shift(open_room: Opens) -> None:
    room: Room = await open_room(roster=ROSTER.split("shifts:")[0] + "shifts: []\n")
    assert not room.escalation.duty.on_call_now(room.clock.now())
    await room.red()
    await room.settle()
    await room.phone("dora").rings()


async def test_without_a_telephone_provider_pages_wait_in_the_console_with_the_alarm(
    open_room: Opens,
) -> None:
    room: Room = await open_room(twilio=False)
    assert not room.escalation.duty.on_call_now(room.clock.now())
    await room.red()
    await room.settle()
    await room.after(600)
    assert (await room.page()).state == "exhausted"
    assert await room.story() == []
    assert await room.stimuli() == ["page_exhausted"]


async def test_a_red_case_that_nobody_has_gets_a_page_whoever_forgot_it(room: Room) -> None:
    ticket = await room.case("HRK-7F3K", "red")
    assert await room.escalation.unattended(room.clock.now()) == [ticket]
    await room.settle()
    await room.phone("eleni").rings()
    assert await room.escalation.unattended(room.clock.now()) == []


async def test_a_pager_that_stands_still_leaves_red_cases_unattended(room: Room) -> None:
    ticket = await room.red()
    await room.settle()
    room.clock.advance(timedelta(seconds=60 + 11))
    assert await room.escalation.unattended(room.clock.now()) == [ticket]


async def test_an_amber_case_is_not_paged_by_itself(room: Room) -> None:
    await room.case("HRK-7F3K", "amber")
    await room.settle()
    assert await room.rows(pages) == []


async def test_a_closed_case_is_not_rung_for(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    now = room.clock.now()
    await room.do(lambda tx: room.escalation.desk.close(tx, "HRK-7F3K", "dora", "helped", now))
    await room.settle()
    assert call.status == "canceled"
    await room.after(300)
    assert room.calls_to("nikos") == 0


async def test_whoever_lets_the_second_clock_run_out_loses_the_case_and_is_asked_last(room: Room) -> None:
    await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    await room.after(299)
    assert (await room.page()).state == "acknowledged"
    await room.after(1)
    page = await room.page()
    assert (page.state, page.passed_over, page.acknowledged_by) == ("ringing", ["eleni"], None)
    assert await room.stimuli() == ["page_acknowledged", "contact_missed"]
    ticket = await room.ticket()
    assert (ticket["status"], ticket["assigned_to"]) == ("open", None)
    await room.phone("nikos").rings()
    await room.after(60)
    assert room.calls_to("eleni") == 2


async def test_a_first_human_word_stops_the_second_clock(room: Room) -> None:
    ticket = await room.red()
    await room.settle()
    call = await room.phone("eleni").rings()
    await call.pick_up()
    await call.presses_announced_key()
    await call.presses_announced_key()
    await room.after(100)
    now = room.clock.now()
    await room.do(lambda tx: room.floor.record.first_human_word(tx, ticket, now))
    await room.after(1000)
    page = await room.page()
    assert (page.state, page.acknowledged_by) == ("contacted", "eleni")
    assert await room.stimuli() == ["page_acknowledged"]


async def test_a_running_page_keeps_the_policy_it_began_with(room: Room) -> None:
    await room.red()
    await room.settle()
    only = PolicyStep("supervisor", ("voice",), timedelta(minutes=9))
    room.escalation.duty.policy = Policy((only,), 1, timedelta(minutes=1))
    await room.after(60)
    await room.phone("nikos").rings()


async def test_on_a_full_night_calls_keep_the_rate_red_goes_first_and_everybody_rings(
    open_room: Opens,
) -> None:
    room: Room = await open_room(cps=1.0)
    amber = [await room.red(f"HRK-AAA{n}", "amber") for n in "34"]
    red = await room.red("HRK-7F3K")
    started = []
    for _ in range(30):
        before = room.calls_to("eleni")
        await room.after(0.25)
        started.append(room.calls_to("eleni") - before)
    assert sum(started) == 3
    assert all(sum(started[place : place + 4]) <= 1 for place in range(len(started)))
    calls = [row for row in await room.rows(attempts) if row.means == "voice"]
    first = room.phone("eleni").calls[0].sid
    ringing_first = next(row.page_id for row in calls if row.provider_id == first)
    ticket_of = {row.id: row.ticket_id for row in await room.rows(pages)}
    assert ticket_of[ringing_first] == red
    assert {ticket_of[row.page_id] for row in calls} == {*amber, red}


async def test_with_more_cases_than_calls_a_minute_every_case_rings_before_any_rings_twice(
    open_room: Opens,
) -> None:
    policy = "steps: [{who: first, by: [voice], for: 4s}]\nrepeat: 9\n"
    room: Room = await open_room(policy=policy, cps=1.0)
    for n in "3479ACDE":
        await room.red(f"HRK-AAA{n}")
    for _ in range(40):
        await room.after(0.25)
    voices = [row.page_id for row in await room.rows(attempts) if row.provider_id]
    assert len(voices) >= 8
    assert len(set(voices[:8])) == 8
