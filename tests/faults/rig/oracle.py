"""Compares the ledger, the providers' journal and the database after the drain. Every invariant is here.

1  every body that was answered 2xx is stored exactly once, with its own words
2  every citizen's message was answered or stands in a ticket, or is quarantined (and then staff know)
3  per conversation: stored in the order of arrival, told in the order of the turns
4  every red case reached an acknowledgement or a sounding alarm; every step began in time
5  nothing was acknowledged without its own keys, link or console
6  duplicates are bounded, and each has a name
7  no citizen's word in any file
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.faults.rig import paging
from tests.faults.rig.evidence import Journal, Stored
from tests.faults.rig.ledger import MARK, Ledger
from tests.faults.rig.verdict import Verdict

_ENDS = {"sent", "failed", "blocked"}
_SILENT = {"opened"}  # a hello may be answered by the webhook's own answer


async def judge(
    ledger: Ledger,
    journal_file: Path,
    database_url: str,
    files: Iterable[Path],
    *,
    late: float = paging.LATE,
    late_after_start: float = paging.LATE_AFTER_START,
) -> Verdict:
    """The verdict on one run. `files` are searched for a citizen's word. A step may begin `late` seconds
    after its time, and `late_after_start` after the start of a pager."""
    stored, journal = await Stored.read(database_url), Journal.read(journal_file)
    verdict = Verdict(messages=len({(one.channel, one.key) for one in ledger.accepted}))
    _kept_once(verdict, ledger, stored)
    _order_of_arrival(verdict, ledger, stored)
    _dealt_with(verdict, stored)
    _told(verdict, stored, journal)
    paging.judge(verdict, ledger, stored, journal, (late, late_after_start))
    words_in_files(verdict, files)
    return verdict


def _kept_once(verdict: Verdict, ledger: Ledger, stored: Stored) -> None:
    rows = defaultdict(list)
    for row in stored.inbox:
        rows[row["channel"], row["provider_key"]].append(row)
    for one in _first(ledger):
        kept = rows.get((one.channel, one.key), [])
        if not kept:
            verdict.lost += 1
            verdict.blame(f"accepted and not stored: {one.channel} {one.key}")
        elif len(kept) > 1:
            verdict.blame(f"stored {len(kept)} times: {one.channel} {one.key}")
        elif one.text and isinstance(kept[0]["body"], dict) and kept[0]["body"].get("text") != one.text:
            verdict.blame(f"stored with other words: {one.channel} {one.key}")


def _first(ledger: Ledger) -> list[Any]:
    """The first acceptance of each body: repeats of it change nothing."""
    seen: dict[tuple[str, str], Any] = {}
    for one in ledger.accepted:
        seen.setdefault((one.channel, one.key), one)
    return list(seen.values())


def _order_of_arrival(verdict: Verdict, ledger: Ledger, stored: Stored) -> None:
    ids = {(row["channel"], row["provider_key"]): row["id"] for row in stored.inbox}
    by_citizen = defaultdict(list)
    for one in _first(ledger):
        if one.number and (one.channel, one.key) in ids:
            by_citizen[one.channel, one.who].append((one.number, ids[one.channel, one.key]))
    for who, pairs in by_citizen.items():
        kept = [row for _, row in sorted(pairs)]
        if kept != sorted(kept):
            verdict.blame(f"stored in another order than sent: {who[0]} {who[1]}")


def _dealt_with(verdict: Verdict, stored: Stored) -> None:
    """Done stimuli have an answer of the same turn, or stand in a ticket."""
    answered = _Answers(stored)
    tickets = {row["id"]: row["citizen_id"] for row in stored.tickets}
    entries = [row for row in stored.entries if row["by"] == "citizen"]
    told = {(tickets[row["ticket_id"]], row["text"]) for row in entries}
    alarmed = any(row["kind"] == "status" for row in stored.entries)
    for row in stored.inbox:
        if row["state"] == "quarantined":
            _quarantined(verdict, row, alarmed)
        elif row["state"] != "done":
            verdict.lost += 1
            verdict.blame(f"never dealt with: {row['kind']} {row['id']} is {row['state']}")
        elif row["kind"] == "said" and not (
            answered.by_turn_of(row) or (row["citizen_id"], row["body"].get("text")) in told
        ):
            verdict.lost += 1
            verdict.blame(f"neither answered nor in a ticket: {row['id']}")


class _Answers:
    """Which turns said something: a citizen's turns are one after the other, so what was said between the end
    of one and the end of the next belongs to the first of them."""

    def __init__(self, stored: Stored) -> None:
        self._said: dict[int, list[Any]] = defaultdict(list)
        self._done: dict[int, list[Any]] = defaultdict(list)
        for row in stored.outbox:
            self._said[row["citizen_id"]].append(row["created_at"])
        for row in stored.inbox:
            if row["state"] == "done":
                self._done[row["citizen_id"]].append(row["done_at"])
        for times in (*self._said.values(), *self._done.values()):
            times.sort()

    def by_turn_of(self, row: dict[str, Any]) -> bool:
        """Whether the turn of this stimulus said anything."""
        done, said = self._done[row["citizen_id"]], self._said[row["citizen_id"]]
        following = bisect_right(done, row["done_at"])
        first = bisect_left(said, row["done_at"])
        return first < len(said) and (following == len(done) or said[first] < done[following])


def _quarantined(verdict: Verdict, row: dict[str, Any], alarmed: bool) -> None:
    """A body that nobody understands harms nobody; a message of a citizen has to be known to staff."""
    if row["kind"] == "strange":
        verdict.figures["strange bodies kept"] = verdict.figures.get("strange bodies kept", 0) + 1
    elif not alarmed:
        verdict.blame(f"quarantined without an alarm: {row['id']} {row['why']}")
    else:
        verdict.blame(f"quarantined: {row['id']} {row['why']}")


def _told(verdict: Verdict, stored: Stored, journal: Journal) -> None:
    """Each row of the outbox appeared once, or twice with its doubt written down, and in its order."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stored.outbox:
        row["said"] = _as_read(row)
        if row["state"] not in _ENDS:
            verdict.lost += 1
            verdict.blame(f"never sent: message {row['id']} is {row['state']}")
        rows[stored.addresses[row["address_id"]]].append(row)
    for address, shown in journal.shown.items():
        _as_told(verdict, address, rows.pop(address, []), [text for text, _ in shown])
    for address, silent in rows.items():
        _as_told(verdict, address, silent, [])


def _as_read(row: dict[str, Any]) -> str:
    """The text on the phone: SMS has no buttons, so they are numbered lines."""
    text: str = row["body"]["text"]
    if row["channel"] != "sms":
        return text
    labels = [f"{number} {label}" for number, (_, label) in enumerate(row["body"]["buttons"], 1)]
    return "\n".join([text, *labels])


def _as_told(
    verdict: Verdict, address: tuple[str, str], rows: list[dict[str, Any]], shown: list[str]
) -> None:
    """Lanes may overtake each other; within a lane the order of the rows is the order on the phone."""
    owed = Counter(row["said"] for row in rows if row["state"] == "sent")
    seen = Counter(shown)
    for text, times in owed.items():
        if seen[text] < times and not _given_up(rows, text):
            verdict.lost += times - seen[text]
            verdict.blame(f"said to be sent, never shown: {address[0]} {address[1]}")
    _named_twice(verdict, address, rows, owed, seen)
    for lane in {row["lane"] for row in rows}:
        mine = [row for row in rows if row["lane"] == lane and row["state"] == "sent"]
        texts = {row["said"] for row in mine}
        others = {row["said"] for row in rows if row["lane"] != lane}
        if not _in_order(mine, [text for text in shown if text in texts], others):
            verdict.blame(f"shown in another order than said: {address[0]} {address[1]} lane {lane}")


def _given_up(rows: list[dict[str, Any]], text: str) -> bool:
    """Unknown twice counts as said: staff were told that it may not have arrived."""
    return any(row["said"] == text and row["doubts"] > 1 for row in rows)


def _named_twice(
    verdict: Verdict,
    address: tuple[str, str],
    rows: list[dict[str, Any]],
    owed: Counter[str],
    seen: Counter[str],
) -> None:
    for text, times in seen.items():
        extra = times - owed[text]
        doubts = sum(min(row["doubts"], 1) for row in rows if row["said"] == text)
        never = [row for row in rows if row["said"] == text and row["state"] != "sent"]
        if extra > doubts + len(never):
            verdict.blame(f"shown {extra} times too often: {address[0]} {address[1]}")
        elif extra > 0:
            names = [str(row["id"]) for row in rows if row["said"] == text and row["doubts"]]
            verdict.twice("message", "outcome unknown", f"message {','.join(names)}", extra)


def _in_order(rows: list[dict[str, Any]], shown: list[str], others: set[str]) -> bool:
    """The texts in turn. What one turn said leaves together, so after a crash what is in doubt is repeated
    together. Texts that another lane says as well cannot be told apart and are left out."""
    left = [text for text in shown if text not in others]
    mine = [row for row in rows if row["said"] not in others]
    places = {0}  # how much of `left` the turns so far may account for
    for _, group in groupby(mine, key=lambda row: row["created_at"]):
        turn = list(group)
        places = {after for place in places for after in _after_turn(turn, left, place)}
    return len(left) in places


def _after_turn(turn: list[dict[str, Any]], left: list[str], place: int) -> set[int]:
    """Where the pieces from `place` on end that this turn alone may have shown: each row once, or twice if
    it was doubted, or not at all if it was doubted twice; in order by their first and by their last."""
    least = Counter(row["said"] for row in turn if row["doubts"] < 2)
    most = Counter(row["said"] for row in turn) + Counter(row["said"] for row in turn if row["doubts"])
    order = [row["said"] for row in turn]
    gone = {row["said"] for row in turn if row["doubts"] > 1}
    ends = set()
    for end in range(place + least.total(), min(place + most.total(), len(left)) + 1):
        piece = left[place:end]
        seen = Counter(piece)
        in_order = len(set(order)) < len(order) or _both_ways(order, piece, gone)
        if seen <= most and least <= seen and in_order:
            ends.add(end)
    return ends


def _both_ways(order: list[str], piece: list[str], gone: set[str]) -> bool:
    """`gone` were in doubt twice: what is on the phone may be their first time alone, before an earlier one
    was repeated."""
    firsts = list(dict.fromkeys(piece))
    lasts = list(dict.fromkeys(reversed([text for text in piece if text not in gone])))[::-1]
    kept = [text for text in order if text in firsts]
    return firsts == kept and lasts == [text for text in kept if text not in gone]


def words_in_files(verdict: Verdict, files: Iterable[Path]) -> None:
    """No citizen's word in any log, database file or spool: each text carries a mark that is nowhere else."""
    mark = MARK.encode()
    for file in files:
        if file.is_file() and _holds(file, mark):
            verdict.blame(f"a citizen's word stands in {file.name}")


def _holds(file: Path, mark: bytes) -> bool:
    tail = b""
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            if mark in tail + piece:
                return True
            tail = piece[-len(mark) :]
    return False
