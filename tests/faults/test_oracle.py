"""The oracle finds what it is there to find: each invariant is broken by hand, and it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.rig import oracle, paging
from tests.faults.rig.evidence import Journal, Stored
from tests.faults.rig.ledger import MARK, Ledger, Life
from tests.faults.rig.verdict import Verdict

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Empty."""
    opened = Ledger(tmp_path / "ledger.jsonl")
    yield opened
    opened.close()


def inbox(number: int, state: str = "done", text: str = "γεια") -> dict[str, Any]:
    at = NOW + timedelta(seconds=number)
    row = {"id": number, "channel": "telegram", "provider_key": f"u{number}", "kind": "said", "state": state}
    return {**row, "body": {"text": text}, "citizen_id": 1, "done_at": at, "why": None}


def outbox(number: int, text: str, doubts: int = 0, state: str = "sent") -> dict[str, Any]:
    at = NOW + timedelta(seconds=number)
    row = {"id": number, "channel": "telegram", "address_id": 1, "citizen_id": 1, "lane": 1, "state": state}
    return {**row, "doubts": doubts, "created_at": at, "body": {"text": text, "buttons": []}}


def told(rows: list[dict[str, Any]], shown: list[str]) -> Verdict:
    verdict, journal = Verdict(), Journal()
    journal.shown["telegram", "1"] = [(text, "") for text in shown]
    oracle._told(verdict, Stored(outbox=rows, addresses={1: ("telegram", "1")}), journal)
    return verdict


def test_an_accepted_body_that_is_not_stored_is_lost(ledger: Ledger) -> None:
    ledger.accept("telegram", "u1", "1", 1, "γεια")
    ledger.accept("telegram", "u2", "1", 2, "γεια")
    verdict = Verdict()
    oracle._kept_once(verdict, ledger, Stored(inbox=[inbox(1)]))
    assert (verdict.lost, verdict.wrong) == (1, ["accepted and not stored: telegram u2"])


def test_a_body_with_other_words_is_found(ledger: Ledger) -> None:
    ledger.accept("telegram", "u1", "1", 1, "γεια")
    verdict = Verdict()
    oracle._kept_once(verdict, ledger, Stored(inbox=[inbox(1, text="άλλα")]))
    assert not verdict.good


def test_an_order_that_was_turned_round_is_found(ledger: Ledger) -> None:
    ledger.accept("telegram", "u2", "1", 1, "")
    ledger.accept("telegram", "u1", "1", 2, "")
    verdict = Verdict()
    oracle._order_of_arrival(verdict, ledger, Stored(inbox=[inbox(1), inbox(2)]))
    assert not verdict.good


def test_a_turn_without_an_answer_is_found_even_between_two_with_one() -> None:
    verdict = Verdict()
    rows = [inbox(1), inbox(2), inbox(3)]
    oracle._dealt_with(verdict, Stored(inbox=rows, outbox=[outbox(1, "α"), outbox(3, "β")]))
    assert verdict.wrong == ["neither answered nor in a ticket: 2"]


@pytest.mark.parametrize("state", ["new", "taken"])
def test_a_stimulus_that_nobody_dealt_with_is_lost(state: str) -> None:
    verdict = Verdict()
    oracle._dealt_with(verdict, Stored(inbox=[inbox(1, state)]))
    assert verdict.lost == 1


def test_what_is_said_to_be_sent_has_to_have_been_shown() -> None:
    assert told([outbox(1, "α")], []).lost == 1
    assert told([outbox(1, "α")], ["α"]).good


def test_a_repeat_needs_a_doubt_and_has_a_name() -> None:
    assert not told([outbox(1, "α")], ["α", "α"]).good
    doubted = told([outbox(1, "α", doubts=1)], ["α", "α"])
    assert doubted.good
    assert doubted.duplicates == Counter({"message: outcome unknown": 1})
    assert not told([outbox(1, "α", doubts=2)], ["α", "α", "α"]).good


def test_messages_have_to_be_shown_in_their_order() -> None:
    rows = [outbox(1, "α"), outbox(2, "β")]
    assert told(rows, ["α", "β"]).good
    assert not told(rows, ["β", "α"]).good


def test_what_one_turn_said_may_be_repeated_together() -> None:
    turn = [outbox(1, text, doubts=1) for text in ("α", "β", "γ")]
    assert told(turn, ["α", "β", "α", "β", "γ"]).good
    assert not told(turn, ["α", "β", "α", "γ"]).good


def test_a_citizens_word_in_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text(f"oops γεια {MARK}0000001")
    (tmp_path / "limani.db").write_bytes(b"sealed")
    verdict = Verdict()
    oracle.words_in_files(verdict, tmp_path.iterdir())
    assert verdict.wrong == ["a citizen's word stands in server.log"]


def test_a_red_message_without_a_ticket_is_a_lost_page(ledger: Ledger) -> None:
    ledger.accept("telegram", "u1", "1", 1, "", red=True)
    verdict = Verdict()
    paging._reached(verdict, ledger, Stored())
    assert verdict.pages_lost == 1


def test_an_acknowledgement_without_keys_is_found(ledger: Ledger) -> None:
    page = {"id": 5, "state": "acknowledged", "ticket_id": 1, "acknowledged_via": "voice"}
    attempt = {
        "id": 9,
        "page_id": 5,
        "state": "acknowledged",
        "means": "voice",
        "keys": "47",
        "person": "eleni",
    }
    stored = Stored(pages=[page], attempts=[attempt], tickets=[{"id": 1, "ref": "HRK-AAAA"}])
    journal, verdict = Journal(), Verdict()
    journal.rang[9].append("CA1")
    paging._honest(verdict, ledger, stored, journal)
    assert not verdict.good
    journal.keys["CA1"] = "47"
    verdict = Verdict()
    paging._honest(verdict, ledger, stored, journal)
    assert verdict.good


def test_a_late_step_is_found_only_where_a_pager_could_have_begun_it() -> None:
    limits = (2.0, 5.0)
    assert paging._missed([Life("all", 0, None)], due=100, sent=103, limits=limits)
    assert not paging._missed([Life("all", 0, None)], due=100, sent=101.9, limits=limits)
    killed = [Life("all", 0, 100.5), Life("all", 104, None)]
    assert not paging._missed(killed, due=100, sent=108.9, limits=limits)
    assert paging._missed(killed, due=100, sent=109.1, limits=limits)


def test_who_was_in_doubt_twice_may_be_missing_from_a_repeat() -> None:
    def turn(*doubts: int) -> list[dict[str, Any]]:
        rows = [outbox(at, text, doubts[at]) for at, text in enumerate("αβ")]
        return [{**row, "created_at": NOW} for row in rows]

    assert told(turn(1, 2), ["α", "β", "α"]).good
    assert not told(turn(1, 1), ["α", "β", "α"]).good
