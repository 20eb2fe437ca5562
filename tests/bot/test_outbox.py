"""The outbox: order for each address, lanes, leases, doubt at most twice, and buttons that are one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from bot.channels.base import Blocked, Limits, Outgoing, SendError, Unknown
from bot.message import Claimed, Hands, Lane, Message, MessageState
from bot.outbox import waiting
from bot.sender import Sender
from flows.events import Button
from store.bell import Bell
from store.clock import ManualClock
from store.database import Database
from store.ids import Ids, from_base32, to_base32
from store.schema import entries, outbox
from store.vault import Vault
from tests.bot.floor import Floor, make_floor


@pytest.fixture
def floor(database: Database, clock: ManualClock, ids: Ids, vault: Vault) -> Floor:
    return make_floor(database, clock, ids, vault)


def text(words: str, lane: Lane = Lane.ordinary, **more: Any) -> Message:
    return Message("test.words", words, lane=lane, **more)


async def states(floor: Floor) -> list[str]:
    query = select(outbox.c.state).order_by(outbox.c.id)
    return await floor.db.read(lambda tx: list(tx.execute(query).scalars()))


async def sent(floor: Floor, *claimed: Claimed) -> None:
    for one in claimed:
        assert await floor.write(lambda tx, one=one: floor.outbox.sent(tx, one, "p1", floor.clock.now()))  # type: ignore[misc]


def words(claimed: list[Claimed]) -> list[str]:
    return [one.message.text for one in claimed]


async def test_messages_to_one_address_go_out_in_their_order(floor: Floor) -> None:
    citizen = await floor.meet()
    for word in ("ένα", "δύο", "τρία"):
        await floor.tell(citizen, text(word))
    heard = []
    for _ in range(3):
        (one,) = await floor.claim()
        assert await floor.claim("two") == []
        heard += words([one])
        await sent(floor, one)
    assert heard == ["ένα", "δύο", "τρία"]


async def test_urgent_before_ordinary_before_broadcast(floor: Floor) -> None:
    for number, lane in enumerate((Lane.broadcast, Lane.ordinary, Lane.urgent)):
        await floor.tell(await floor.meet(f"{number}"), text(lane.name, lane))
    heard = []
    while claimed := await floor.claim(most=1):
        heard += words(claimed)
    assert heard == ["urgent", "ordinary", "broadcast"]


async def test_an_urgent_message_does_not_wait_behind_a_broadcast_to_the_same_citizen(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.tell(citizen, text("καύσωνας", Lane.broadcast))
    await floor.tell(citizen, text("είμαι εδώ", Lane.urgent))
    assert words(await floor.claim(most=1)) == ["είμαι εδώ"]


async def test_an_urgent_message_does_not_wait_for_the_next_try_of_another(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.tell(citizen, text("το αίτημα γράφτηκε"))
    (one,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.retry(tx, one, "503", 600, floor.clock.now()))
    await floor.tell(citizen, text("είμαι εδώ", Lane.urgent))
    assert words(await floor.claim()) == ["είμαι εδώ"]


async def test_ordinary_words_said_just_before_come_first(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.tell(citizen, text("πρώτα"))
    await floor.tell(citizen, text("μετά", Lane.urgent))
    (first,) = await floor.claim()
    assert first.message.text == "πρώτα"
    await sent(floor, first)
    assert words(await floor.claim()) == ["μετά"]


async def test_a_long_greek_text_is_cut_and_keeps_its_buttons_on_the_last_part(floor: Floor) -> None:
    citizen = await floor.meet()
    long = "Ένα ζεστό γεύμα για όλους 🍲. " * 300
    rows = await floor.tell(citizen, text(long, buttons=(Button("yes", "Ναι"),)))
    assert len(rows) == 3
    parts = []
    for _ in rows:
        (one,) = await floor.claim()
        parts.append(one.message)
        await sent(floor, one)
    assert all(len(part.text) <= 4096 for part in parts)
    assert " ".join(part.text for part in parts).split() == long.split()
    assert [len(part.buttons) for part in parts] == [0, 0, 1]


async def test_a_button_is_an_opaque_token_of_one_citizen(floor: Floor) -> None:
    maria, other = await floor.meet("1001"), await floor.meet("2002")
    await floor.tell(maria, text("Σήμερα;", buttons=(Button("yes", "Ναι"), Button("no", "Όχι"))))
    (one,) = await floor.claim()
    tokens = [button.value for button in one.message.buttons]
    assert not any("yes" in token or "no" in token for token in tokens)

    async def behind(citizen: int, token: str) -> Button | None:
        return await floor.db.read(lambda tx: floor.outbox.button(tx, citizen, token))

    assert [await behind(maria, token) for token in tokens] == [Button("yes", "Ναι"), Button("no", "Όχι")]
    assert await behind(other, tokens[0]) is None
    stem = tokens[0].rpartition(".")[0]
    forged = ("", "~", "~.", ".0", "yes", f"{stem}.2", f"{stem}.-1", f"{stem}.²", f"{stem}.{'9' * 5000}")
    for token in (*forged, "~zzzzzzzzzzzzz.0", f"~{'z' * 40}.0", "~7zzzzzzzzzzzz.0", f"{stem}.0.0", "~ΑΒΓ.0"):
        assert await behind(maria, token) is None


@given(st.integers(1, 2**63 - 1))
def test_row_ids_survive_their_short_form(number: int) -> None:
    assert from_base32(to_base32(number)) == number


@given(st.text(max_size=20))
def test_no_text_makes_an_id_that_a_database_cannot_hold(token: str) -> None:
    number = from_base32(token)
    assert number is None or 0 <= number < 2**63


async def test_an_unknown_outcome_is_said_once_more_and_never_a_third_time(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    for expected in (MessageState.unknown, MessageState.sent):
        (one,) = await floor.claim()
        await floor.write(lambda tx, one=one: floor.outbox.doubt(tx, one, "timeout", floor.clock.now()))  # type: ignore[misc]
        assert await states(floor) == [expected]
        floor.pass_time(seconds=5)
    assert await floor.claim() == []


async def begin(floor: Floor, claimed: list[Claimed]) -> int:
    """How many requests were begun: a message in doubt says so first."""
    doubted = [one for one in claimed if one.doubts]
    for one in doubted:
        assert await floor.write(lambda tx, one=one: floor.outbox.begin(tx, one, floor.clock.now()))  # type: ignore[misc]
    return len(claimed)


async def test_crashes_while_sending_count_as_doubts(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    tries = 0
    for _ in range(5):
        tries += await begin(floor, await floor.claim())
        floor.pass_time(seconds=31)
    assert tries == 2
    assert await states(floor) == ["sent"]


async def test_a_restart_counts_what_was_being_sent_as_a_doubt(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    tries = 0
    for _ in range(4):
        tries += await begin(floor, await floor.claim())
        await floor.write(floor.outbox.release_all)
        floor.pass_time(seconds=2)
    assert tries == 2
    assert await states(floor) == ["sent"]


async def test_crashes_before_a_second_request_is_begun_cost_nobody_the_message(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("θα φτάσει"))
    await floor.claim()
    for _ in range(6):
        floor.pass_time(seconds=31)
        (one,) = await floor.claim()
        assert one.doubts == 1
    assert await begin(floor, [one])
    await sent(floor, one)
    assert await states(floor) == ["sent"]


async def test_after_a_doubt_a_certain_failure_does_not_forget_it(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    (one,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.doubt(tx, one, "timeout", floor.clock.now()))
    floor.pass_time(seconds=3)
    (two,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.retry(tx, two, "429", 1, floor.clock.now()))
    floor.pass_time(seconds=2)
    (three,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.doubt(tx, three, "timeout", floor.clock.now()))
    floor.pass_time(seconds=60)
    assert await floor.claim() == []


async def test_a_worker_whose_lease_ran_out_settles_nothing(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    (slow,) = await floor.claim("slow")
    floor.pass_time(seconds=31)
    (quick,) = await floor.claim("quick")
    assert not await floor.write(lambda tx: floor.outbox.fail(tx, slow, "late"))
    await sent(floor, quick)
    assert await states(floor) == ["sent"]


async def test_a_turn_hands_over_what_there_is_room_for_and_danger_always(floor: Floor) -> None:
    calm, late, afraid = [await floor.meet(number) for number in ("1001", "2002", "3003")]
    said = [(calm, text("ένα")), (calm, text("δύο")), (late, text("τρία"))]
    said.append((afraid, text("είμαι εδώ", Lane.urgent)))
    hands = Hands("me", {"telegram": 2})

    def say(tx: Connection) -> list[list[Claimed]]:
        return floor.outbox.put_all(tx, said, floor.clock.now(), hands)

    handed = await floor.write(say)
    assert [words(row) for row in handed] == [["ένα", "δύο"], ["είμαι εδώ"]]
    assert await states(floor) == ["sending", "sending", "due", "sending"]
    assert words(await floor.claim("other")) == ["τρία"]
    await sent(floor, *(one for row in handed for one in row))
    assert (await states(floor))[0] == "sent"


async def test_nothing_is_handed_over_past_what_waits_for_the_same_address(floor: Floor) -> None:
    maria = await floor.meet()
    await floor.tell(maria, text("πρώτο"))

    def say(tx: Connection) -> list[list[Claimed]]:
        hands = Hands("me", {"telegram": 9})
        return floor.outbox.put_all(tx, [(maria, text("δεύτερο"))], floor.clock.now(), hands)

    assert await floor.write(say) == []
    assert words(await floor.claim()) == ["πρώτο"]


async def test_what_became_of_an_earlier_claim_is_not_written_over_a_later_one(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    (first,) = await floor.claim("me")
    floor.pass_time(seconds=31)
    (second,) = await floor.claim("me")
    assert (first.owner, second.owner) == ("me", "me")
    assert await floor.write(lambda tx: floor.outbox.begin(tx, second, floor.clock.now()))
    assert not await floor.write(lambda tx: floor.outbox.doubt(tx, first, "late", floor.clock.now()))
    await floor.write(lambda tx: floor.outbox.doubt(tx, second, "timeout", floor.clock.now()))
    floor.pass_time(seconds=60)
    assert await floor.claim() == []


async def test_a_lease_is_renewed_only_while_it_is_ours(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    claimed = await floor.claim("me")

    async def renew() -> set[int]:
        return await floor.write(lambda tx: floor.outbox.renew(tx, claimed, floor.clock.now()))

    for _ in range(4):
        floor.pass_time(seconds=10)
        assert await renew() == {claimed[0].id}
        assert await floor.claim("other") == []
    floor.pass_time(seconds=13)
    assert len(await floor.claim("other")) == 1
    assert await renew() == set()


async def test_a_clock_that_is_set_back_keeps_no_message_waiting(floor: Floor) -> None:
    maria, other = await floor.meet("1001"), await floor.meet("2002")
    await floor.tell(maria, text("πριν"))
    await floor.tell(other, text("στη μέση"))
    await floor.claim(most=1)
    floor.clock.advance(timedelta(hours=-1))
    assert sorted(words(await floor.claim())) == ["πριν", "στη μέση"]


async def test_retries_slow_down_and_end(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("επιμονή"))
    pauses = []
    for _ in range(40):
        (one,) = await floor.claim()
        before = floor.clock.now()
        await floor.write(lambda tx, one=one: floor.outbox.retry(tx, one, "503", None, floor.clock.now()))  # type: ignore[misc]
        due = await floor.db.read(floor.outbox.next_due)
        if due is None:
            break
        pauses.append((due - before).total_seconds())
        floor.clock.set(due)
    assert pauses[:4] == [1, 2, 4, 8]
    assert 6 * 3600 < sum(pauses) < 24 * 3600
    assert await states(floor) == ["failed"]


async def test_a_provider_that_asks_for_days_is_asked_again_within_the_hour(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("υπομονή"))
    (one,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.retry(tx, one, "429", 86_400.0, floor.clock.now()))
    assert await floor.claim() == []
    floor.pass_time(minutes=21)
    assert len(await floor.claim()) == 1


async def test_who_blocked_us_is_not_written_to_until_he_returns(floor: Floor) -> None:
    citizen = await floor.meet()
    await floor.tell(citizen, text("πριν"))
    (one,) = await floor.claim()
    await floor.write(lambda tx: floor.outbox.block(tx, one, "403", floor.clock.now()))
    await floor.tell(citizen, text("όσο λείπει"))
    assert await states(floor) == ["blocked", "blocked"]
    assert await floor.claim() == []
    await floor.hear("1001", "back")
    await floor.tell(citizen, text("καλώς ήρθατε πάλι"))
    assert words(await floor.claim()) == ["καλώς ήρθατε πάλι"]


async def test_the_answer_goes_where_the_citizen_wrote_last(floor: Floor) -> None:
    citizen = await floor.meet("1001")
    await floor.tell(citizen, text("εδώ"))
    (one,) = await floor.claim()
    assert (one.channel, one.address) == ("telegram", "1001")


async def test_receipts_are_noted_and_strangers_are_not(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("έφτασε;"))
    (one,) = await floor.claim()
    await sent(floor, one)

    async def receipt(provider_id: str, outcome: str) -> bool:
        found = await floor.write(
            lambda tx: floor.outbox.receipt(tx, "telegram", provider_id, outcome, floor.clock.now())
        )
        return found is not None

    assert not await receipt("nobody", "delivered")
    assert await receipt("p1", "delivered")
    assert await receipt("p1", "seen")
    row = await floor.db.read(lambda tx: tx.execute(select(outbox)).one())
    assert (row.state, row.delivered_at, row.seen_at) == ("sent", floor.clock.now(), floor.clock.now())
    assert await receipt("p1", "failed")
    assert await states(floor) == ["failed"]


async def test_a_broken_seal_stops_one_message_and_not_the_queue(floor: Floor) -> None:
    maria, other = await floor.meet("1001"), await floor.meet("2002")
    (row,) = await floor.tell(maria, text("χαλασμένο"))
    await floor.tell(other, text("γερό"))
    await floor.write(lambda tx: tx.execute(update(outbox).where(outbox.c.id == row).values(body=b"junk")))
    assert words(await floor.claim()) == ["γερό"]
    assert (await states(floor))[0] == "failed"


async def test_waiting_tells_how_many_and_since_when(floor: Floor) -> None:
    assert await floor.db.read(waiting) == (0, None)
    since = floor.clock.now()
    await floor.tell(await floor.meet(), text("ένα"))
    floor.pass_time(seconds=7)
    assert await floor.db.read(waiting) == (1, since)


class Phone:
    """A channel whose provider answers as it is told."""

    name = "telegram"
    limits = Limits(text=4096, label=40, buttons=30, rate=1000)

    def __init__(self, *answers: SendError | None) -> None:
        self.outcomes = list(answers)
        self.heard: list[tuple[str, str]] = []
        self.well = True

    async def answers(self) -> bool:
        return self.well

    async def send(self, address: str, message: Outgoing) -> str:
        self.heard.append((address, message.text))
        answer = self.outcomes.pop(0) if self.outcomes else None
        if answer is not None:
            raise answer
        return f"p{len(self.heard)}"

    def routes(self) -> list[Any]:
        return []

    async def start(self, *, listens: bool = True) -> None: ...

    async def stop(self) -> None: ...


async def run(floor: Floor, phone: Phone, rounds: int = 20) -> None:
    sender = Sender(
        floor.db,
        Bell(),
        floor.clock,
        floor.ids,
        floor.outbox,
        floor.citizens,
        floor.record,
        {phone.name: phone},
    )
    for _ in range(rounds):
        await sender.tick()
        await sender.settle()
        floor.pass_time(seconds=3)


async def test_the_sender_says_an_unknown_text_at_most_twice(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("μία φορά"))
    phone = Phone(*[Unknown("timeout")] * 9)
    await run(floor, phone)
    assert len(phone.heard) == 2


async def test_a_second_try_waits_until_the_channel_answers_again(floor: Floor) -> None:
    await floor.tell(await floor.meet(), text("1018"))
    phone = Phone(Unknown("502"))
    await run(floor, phone, rounds=1)
    phone.well = False
    await run(floor, phone, rounds=5)
    assert len(phone.heard) == 1
    phone.well = True
    await run(floor, phone, rounds=20)
    assert len(phone.heard) == 2
    assert await states(floor) == ["sent"]


async def test_a_blocked_citizen_is_tried_a_few_times_at_most(floor: Floor) -> None:
    citizen = await floor.meet()
    for number in range(12):
        await floor.tell(citizen, text(f"{number}"))
    phone = Phone(*[Blocked("403")] * 12)
    await run(floor, phone)
    assert len(phone.heard) <= 5
    assert set(await states(floor)) == {"blocked"}


async def test_staff_read_at_the_ticket_that_the_citizen_did_not_hear(floor: Floor) -> None:
    citizen = await floor.meet()
    ticket = await floor.open_ticket(citizen, "HRK-7F3K")
    await floor.tell(citizen, text("ακούτε;", ticket=ticket))
    await run(floor, Phone(Blocked("403")), rounds=1)
    query = select(entries).where(entries.c.ticket_id == ticket).order_by(entries.c.id)
    lines = await floor.db.read(lambda tx: [floor.record.text_of(row) for row in tx.execute(query).all()])
    assert lines == ["opened", "not delivered: the citizen does not receive messages"]


async def test_an_adapter_that_breaks_counts_as_unknown(floor: Floor) -> None:
    class Broken(Phone):
        async def send(self, address: str, message: Outgoing) -> str:
            await super().send(address, message)
            raise KeyError("a bug")

    await floor.tell(await floor.meet(), text("μία φορά"))
    phone = Broken()
    await run(floor, phone)
    assert len(phone.heard) == 2
    assert await states(floor) == ["sent"]
