"""What people do in the console, and what comes of it behind the glass."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from store.schema import inbox, outbox, pages, tickets
from tests.console.conftest import Browser, House, act, form_token, see, sign_in

REF = "HRK-7F3K"


@pytest.fixture
async def case(house: House) -> int:
    """One red case that rings."""

    def seed(tx: object) -> int:
        now = house.clock.now()
        words = (("citizen", "Δεν αντέχω άλλο"),)
        ticket = house.town.case(tx, now, REF, "psych_support", "red", "suicide", words=words)  # type: ignore[arg-type]
        house.town.page(tx, ticket, now, "ringing", ("eleni", "voice", "ringing"))  # type: ignore[arg-type]
        return ticket

    ticket: int = await house.do(seed)
    return ticket


async def test_taking_a_case_acknowledges_its_page(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "nikos")
    assert "Ringing Ελένη" in await see(browser, "/console/")
    answer = await act(browser, REF, "take")
    assert answer.headers["Location"] == f"/console/tickets/{REF}"
    page = await house.db.read(lambda tx: tx.execute(select(pages)).one())
    assert (page.state, page.acknowledged_by, page.acknowledged_via) == ("acknowledged", "nikos", "console")
    assert [kind for kind, _ in await _stimuli(house)] == ["page_acknowledged"]


async def test_whoever_comes_second_is_told_who_has_it(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "nikos")
    token = await form_token(browser, f"/console/tickets/{REF}")
    await house.do(lambda tx: house.desk.take(tx, REF, "eleni", house.clock.now()))
    late = await browser.post(f"/console/tickets/{REF}/take", data={"csrf": token})
    assert late.status == 409
    text = await late.text()
    assert "the case has changed meanwhile" in text
    assert "Ελένη has this case" in text


async def test_a_reply_goes_to_the_citizens_conversation(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    answer = await act(browser, REF, "reply", text="  Είμαι εδώ.\r\nΕίστε ασφαλείς;  ")
    assert answer.status == 303
    kind, body = (await _stimuli(house))[-1]
    assert kind == "human_said"
    assert body == {"by": "eleni", "ref": REF, "text": "Είμαι εδώ.\nΕίστε ασφαλείς;"}


async def test_a_reply_that_is_sent_twice_is_said_once(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    for _ in range(2):
        await act(browser, REF, "reply", text="Είμαι εδώ.", once="k1")
    await act(browser, REF, "reply", text="Είμαι εδώ.", once="k2")
    assert [kind for kind, _ in await _stimuli(house)].count("human_said") == 2


@pytest.mark.parametrize(("text", "sentence"), [("   ", "Write something first"), ("x" * 4001, "too long")])
async def test_words_that_cannot_be_sent_are_kept(
    case: int, browser: Browser, text: str, sentence: str
) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    refused = await act(browser, REF, "reply", text=text)
    assert refused.status == 409
    page = await refused.text()
    assert sentence in page
    assert text.strip() in page


async def test_a_note_is_seen_by_colleagues_and_by_nobody_else(
    house: House, case: int, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "note", text="Κάλεσα το 112.")
    async with house.browser() as other:
        await sign_in(other, "nikos")
        assert "Κάλεσα το 112." in await see(other, f"/console/tickets/{REF}")
    assert await house.db.read(lambda tx: tx.execute(select(outbox)).all()) == []
    assert await _stimuli(house) == []


async def test_passing_a_case_on(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    assert (await act(browser, REF, "transfer", to="stranger")).status == 409
    assert (await act(browser, REF, "transfer", to="nikos")).status == 303
    assert await _ticket(house, "assigned_to") == "nikos"
    assert (await act(browser, REF, "reply", text="και κάτι ακόμα")).status == 409
    assert [kind for kind, _ in await _stimuli(house)].count("human_said") == 0


async def test_giving_a_red_case_back_looks_for_somebody_else(
    house: House, case: int, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    await act(browser, REF, "transfer", to="queue")
    assert await _ticket(house, "assigned_to") is None
    page = await house.db.read(lambda tx: tx.execute(select(pages)).one())
    assert page.state == "needed"


async def test_closing_asks_for_a_word(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    for wrong in ("", "ok", "<b>"):
        refused = await act(browser, REF, "close", outcome=wrong)
        assert refused.status == 409
        assert "Choose how the case ended" in await refused.text()
    assert await _ticket(house, "status") == "assigned"
    assert (await act(browser, REF, "close", outcome="referred")).status == 303
    assert (await _ticket(house, "status"), await _ticket(house, "outcome")) == ("closed", "referred")
    text = await see(browser, f"/console/tickets/{REF}")
    assert "This case is closed" in text
    assert "Referred to a service" in text


async def test_a_responder_does_not_take_a_colleagues_case_and_a_supervisor_may(
    house: House, case: int, browser: Browser
) -> None:
    await house.do(lambda tx: house.desk.take(tx, REF, "eleni", house.clock.now()))
    await sign_in(browser, "nikos")
    assert "ask for a transfer" in await see(browser, f"/console/tickets/{REF}")
    assert (await act(browser, REF, "take")).status == 409
    assert (await act(browser, REF, "close", outcome="helped")).status == 409
    async with house.browser() as other:
        await sign_in(other, "dora")
        assert "you can take it over" in await see(other, f"/console/tickets/{REF}")
        assert (await act(other, REF, "take")).status == 303
    assert await _ticket(house, "assigned_to") == "dora"


async def test_the_live_talk_can_be_handed_back(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    assert "Back to Limani" not in await see(browser, f"/console/tickets/{REF}")
    now = house.clock.now()
    await house.do(lambda tx: house.record.add(tx, case, "system", "handoff", "started", now))
    assert "Back to Limani" in await see(browser, f"/console/tickets/{REF}")
    await act(browser, REF, "handback")
    assert (await _stimuli(house))[-1][0] == "handoff_ended"


async def test_an_action_rings_the_loops_that_make_it_true(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    with house.bell.listen("inbox") as inbox_rung, house.bell.listen("pager") as pager_rung:
        await act(browser, REF, "take")
        assert inbox_rung.is_set()
        assert pager_rung.is_set()


async def test_ready_answers_come_in_the_citizens_language_and_without_script(
    house: House, case: int, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    await act(browser, REF, "take")
    text = await see(browser, f"/console/tickets/{REF}?ready=1")
    assert "Είστε ασφαλείς αυτή τη στιγμή;</textarea>" in text
    assert "</textarea>" in await see(browser, f"/console/tickets/{REF}?ready=99999999")


async def test_words_that_did_not_arrive_are_told(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    assert "did not reach" not in await see(browser, f"/console/tickets/{REF}")
    await house.do(lambda tx: _lose_a_message(house, tx, case))
    assert "1 message did not reach the citizen" in await see(browser, f"/console/tickets/{REF}")


async def test_the_same_case_as_json(house: House, case: int, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    answer = await browser.get(f"/console/api/tickets/{REF.lower()}")
    found = await answer.json()
    assert found["ref"] == REF
    assert found["risk"] == "red"
    assert found["pages"] == [{"at": found["opened_at"], "to": "eleni", "by": "voice", "outcome": "ringing"}]
    assert [entry["text"] for entry in found["entries"] if entry["by"] == "citizen"] == ["Δεν αντέχω άλλο"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await browser.get("/console/api/tickets/HRK-0000")).status == 404


async def test_an_unknown_case_is_a_kind_page(browser: Browser) -> None:
    await sign_in(browser, "eleni")
    assert "There is no case" in await see(browser, "/console/tickets/HRK-0000", 404)
    for ref in ("x" * 200, "%00", "κάτι", "HRK-0000/x"):
        assert "There is no such page" in await see(browser, f"/console/tickets/{ref}", 404)


async def test_times_are_relative_with_the_exact_one_at_hand(
    house: House, case: int, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    house.clock.advance(timedelta(minutes=3))
    text = await see(browser, f"/console/tickets/{REF}")
    assert 'title="Tuesday 24 November, 10:00:00"' in text
    assert "3 min ago" in text


async def _stimuli(house: House) -> list[tuple[str, dict[str, str]]]:
    rows = await house.db.read(lambda tx: tx.execute(select(inbox).order_by(inbox.c.id)).all())
    return [(row.kind, json.loads(house.vault.open("inbox", row.id, "body", row.body))) for row in rows]


async def _ticket(house: House, column: str) -> str | None:
    found: str | None = await house.db.read(lambda tx: tx.execute(select(tickets.c[column])).scalar())
    return found


def _lose_a_message(house: House, tx: object, ticket: int) -> None:
    from sqlalchemy import Connection, insert

    from store.schema import addresses

    assert isinstance(tx, Connection)
    now, row = house.clock.now(), house.ids.new()
    address = tx.execute(select(addresses)).one()
    tx.execute(
        insert(outbox).values(
            id=row,
            citizen_id=address.citizen_id,
            address_id=address.id,
            channel="web",
            lane=0,
            key="human",
            body=house.vault.seal("outbox", row, "body", "{}"),
            state="failed",
            due_at=now,
            attempts=5,
            doubts=0,
            created_at=now,
            ticket_id=ticket,
        )
    )
