"""What a responder may do with a case, and the one sentence for what cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from escalation.desk import MOST_TEXT, DeskError
from escalation.people import add
from tests.escalation.conftest import Room

REF = "HRK-7F3K"


async def does(room: Room, name: str, *arguments: str) -> None:
    deed: Callable[..., None] = getattr(room.escalation.desk, name)
    now = room.clock.now()
    await room.do(lambda tx: deed(tx, *arguments, now))


async def refused(room: Room, name: str, *arguments: str) -> str:
    before = (await room.ticket(), await room.stimuli())
    with pytest.raises(DeskError) as caught:
        await does(room, name, *arguments)
    assert (await room.ticket(), await room.stimuli()) == before
    return str(caught.value)


async def entries(room: Room) -> list[tuple[str, str, str]]:
    return [(one["by"], one["kind"], one["text"]) for one in (await room.ticket())["entries"]]


async def test_a_queued_case_is_taken_answered_noted_and_closed(room: Room) -> None:
    await room.case(REF, "none")
    await does(room, "take", " hrk-7f3k", "nikos")
    await does(room, "take", REF, "nikos")
    await does(room, "reply", REF, "nikos", " I am here. ")
    await does(room, "note", REF, "dora", "call back tomorrow")
    await does(room, "close", REF, "nikos", "helped")
    assert await room.stimuli() == ["page_acknowledged", "human_said", "ticket_closed"]
    ticket: dict[str, Any] = await room.ticket()
    assert (ticket["status"], ticket["outcome"], ticket["assigned_to"]) == ("closed", "helped", "nikos")
    assert ("dora", "note", "call back tomorrow") in await entries(room)


async def test_taking_a_paged_case_acknowledges_its_page(room: Room) -> None:
    await room.red()
    await room.settle()
    await does(room, "take", REF, "nikos")
    assert (await room.page()).acknowledged_via == "console"
    assert ("nikos", "console", "acknowledged") in await room.story()
    assert await refused(room, "take", REF, "eleni") == "nikos has HRK-7F3K already."


async def test_a_reply_takes_a_case_that_is_nobodys(room: Room) -> None:
    await room.red()
    await room.settle()
    await does(room, "reply", REF, "nikos", "I am here.")
    assert (await room.ticket())["assigned_to"] == "nikos"
    assert await room.stimuli() == ["page_acknowledged", "human_said"]


async def test_the_same_reply_sent_twice_is_said_once(room: Room) -> None:
    await room.case(REF, "none")
    for _ in range(2):
        await room.do(
            lambda tx: room.escalation.desk.reply(tx, REF, "nikos", "Here.", room.clock.now(), key="form:1")
        )
    assert await room.stimuli() == ["page_acknowledged", "human_said"]


async def test_colleagues_may_not_act_on_somebodys_case_and_supervisors_may(room: Room) -> None:
    await room.case(REF, "none")
    await does(room, "take", REF, "nikos")
    for name, more in (
        ("reply", ("hello",)),
        ("close", ("helped",)),
        ("release", ()),
        ("transfer", ("eleni",)),
    ):
        assert await refused(room, name, REF, "eleni", *more) == "nikos has HRK-7F3K; ask for a transfer."
    await does(room, "reply", REF, "dora", "hello")
    await does(room, "close", REF, "dora", "helped")


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("take", ("HRK-XXXX", "nikos"), "There is no ticket HRK-XXXX."),
        ("take", (REF, "somebody"), "Nobody is called somebody on the roster or among the accounts."),
        ("reply", (REF, "nikos", "  "), "There is nothing to say: the text is empty."),
        ("reply", (REF, "nikos", "a" * (MOST_TEXT + 1)), "The text is too long: at most 4000 letters."),
        (
            "close",
            (REF, "nikos", "all is well"),
            "The outcome is one word of at most 40 letters, for example helped.",
        ),
        ("release", (REF, "nikos"), "Nobody has HRK-7F3K."),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    room: Room, name: str, arguments: tuple[str, ...], sentence: str
) -> None:
    await room.case(REF, "none")
    assert await refused(room, name, *arguments) == sentence


async def test_a_closed_case_takes_notes_only(room: Room) -> None:
    await room.case(REF, "none")
    await does(room, "close", REF, "nikos", "helped")
    for name, more in (("take", ()), ("reply", ("hello",)), ("close", ("helped",))):
        assert await refused(room, name, REF, "nikos", *more) == "HRK-7F3K is closed already."
    await does(room, "note", REF, "nikos", "she wrote again")


async def test_a_red_case_given_back_is_paged_at_once_and_its_giver_asked_last(room: Room) -> None:
    await room.red()
    await room.settle()
    await does(room, "take", REF, "eleni")
    await does(room, "release", REF, "eleni")
    assert await room.stimuli() == ["page_acknowledged", "contact_missed"]
    await room.settle()
    await room.phone("nikos").rings()
    assert (await room.ticket())["assigned_to"] is None


async def test_a_red_case_given_back_after_contact_is_paged_anew(room: Room) -> None:
    ticket = await room.red()
    await room.settle()
    await does(room, "take", REF, "eleni")
    await room.do(lambda tx: room.floor.record.first_human_word(tx, ticket, room.clock.now()))
    await room.settle()
    assert (await room.page()).state == "contacted"
    await does(room, "release", REF, "eleni")
    await room.settle()
    assert (await room.page()).state == "ringing"


async def test_a_transfer_gives_the_case_and_its_second_clock_to_the_other(room: Room) -> None:
    await room.red()
    await room.settle()
    await does(room, "take", REF, "eleni")
    await does(room, "transfer", REF, "eleni", "nikos")
    assert (await room.ticket())["assigned_to"] == "nikos"
    assert (await room.page()).acknowledged_by == "nikos"
    await room.after(300)
    assert (await room.page()).passed_over == ["nikos"]


async def test_an_account_that_is_not_on_the_roster_may_act(room: Room) -> None:
    await room.case(REF, "none")
    await room.do(lambda tx: add(tx, "maria", "supervisor", "no hash", room.clock.now()))
    await does(room, "take", REF, "maria")
    await does(room, "end_handoff", REF, "maria")
    assert await room.stimuli() == ["page_acknowledged", "handoff_ended"]
