"""The part of the oracle that judges pages: reached, in time, honestly taken, and how often repeated."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from escalation.attempts import MOST_TRIES
from tests.faults.rig.evidence import Journal, Stored
from tests.faults.rig.ledger import Ledger, Life
from tests.faults.rig.verdict import Verdict

LATE = 2.0  # seconds after its due time within which a step begins
LATE_AFTER_START = 5.0  # the same after a kill, counted from when a pager lives again
_FOUND = {"acknowledged", "contacted", "cancelled"}


def judge(
    verdict: Verdict, ledger: Ledger, stored: Stored, journal: Journal, limits: tuple[float, float]
) -> None:
    """Adds to the verdict. `limits`: how late a step may begin, and how late after the start of a pager."""
    _reached(verdict, ledger, stored)
    _in_time(verdict, ledger, stored, journal, limits)
    _honest(verdict, ledger, stored, journal)
    _bounded(verdict, stored, journal)


def _reached(verdict: Verdict, ledger: Ledger, stored: Stored) -> None:
    """Each red message led to a red ticket, each red ticket to a human who took it or to an alarm."""
    owners = defaultdict(list)
    pages = defaultdict(list)
    for page in stored.pages:
        pages[page["ticket_id"]].append(page)
    citizens = {address: row for row, address in _citizens(stored).items()}
    for ticket in stored.tickets:
        if ticket["risk"] == "red":
            owners[ticket["citizen_id"]].append(ticket)
    for one in ledger.accepted:
        if one.red and not owners[citizens.get((one.channel, one.who), -1)]:
            verdict.pages_lost += 1
            verdict.blame(f"a red message opened no red ticket: {one.channel} {one.key}")
    for ticket in (one for found in owners.values() for one in found):
        verdict.pages += 1
        states = {page["state"] for page in pages[ticket["id"]]}
        alarms = [page for page in pages[ticket["id"]] if page["exhausted_at"] is not None]
        if not (states & _FOUND) and not alarms:
            verdict.pages_lost += 1
            verdict.blame(f"red ticket {ticket['ref']} reached nobody and no alarm: {sorted(states)}")


def _citizens(stored: Stored) -> dict[int, tuple[str, str]]:
    """Which address each citizen writes from (in the rig everybody has one)."""
    found: dict[int, tuple[str, str]] = {}
    for row in stored.outbox:
        found[row["citizen_id"]] = stored.addresses[row["address_id"]]
    return found


def _in_time(
    verdict: Verdict, ledger: Ledger, stored: Stored, journal: Journal, limits: tuple[float, float]
) -> None:
    """The first request of each attempt against the moment at which its step was due."""
    lives = [life for life in ledger.lives if life.roles == "all" or "pager" in life.roles]
    lates = []
    for attempt in stored.attempts:
        sent = journal.requests.get(attempt["id"])
        if not sent or attempt["means"] not in ("voice", "sms") or attempt["tries"] != 1:
            continue
        due = _due(ledger, attempt["at"].timestamp(), sent[0])
        lates.append(sent[0] - due)
        if _missed(lives, due, sent[0], limits):
            verdict.late.append(f"attempt {attempt['id']} began {sent[0] - due:.1f} s after its time")
    if lates:
        lates.sort()
        verdict.figures["page request after its due time, s: median"] = round(lates[len(lates) // 2], 3)
        verdict.figures["page request after its due time, s: longest"] = round(lates[-1], 3)


def _due(ledger: Ledger, at: float, sent: float) -> float:
    """When it was due by the clock that was set since."""
    for before, after in ledger.leaps:
        at = after if at <= before and sent >= after else at
    return at


def _missed(lives: list[Life], due: float, sent: float, limits: tuple[float, float]) -> bool:
    """Whether a pager was alive long enough to have begun the step earlier than it was begun."""
    for life in lives:
        latest = max(due + limits[0], life.begun + limits[1])
        if latest < sent and (life.ended is None or latest < life.ended):
            return True
    return False


def _honest(verdict: Verdict, ledger: Ledger, stored: Stored, journal: Journal) -> None:
    """An acknowledgement has two keys that were heard, a pressed button, or a responder's command."""
    by_page = defaultdict(list)
    for attempt in stored.attempts:
        if attempt["state"] == "acknowledged":
            by_page[attempt["page_id"]].append(attempt)
    refs = {ticket["id"]: ticket["ref"] for ticket in stored.tickets}
    for page in stored.pages:
        if page["state"] not in ("acknowledged", "contacted"):
            continue
        proofs = [
            _proof(attempt, refs[page["ticket_id"]], ledger, journal) for attempt in by_page[page["id"]]
        ]
        if not any(proofs):
            verdict.blame(f"page {page['id']} acknowledged via {page['acknowledged_via']} without proof")


def _proof(attempt: dict[str, Any], ref: str, ledger: Ledger, journal: Journal) -> bool:
    match attempt["means"]:
        case "voice":
            return any(attempt["keys"] in journal.keys[call] for call in journal.rang[attempt["id"]])
        case "sms" | "link":
            return any(deed["via"] == "link" and deed["person"] == attempt["person"] for deed in ledger.deeds)
        case _:
            taken = [deed for deed in ledger.deeds if deed["via"] == "console" and deed["ref"] == ref]
            return any(deed["person"] == attempt["person"] for deed in taken)


def _bounded(verdict: Verdict, stored: Stored, journal: Journal) -> None:
    """One step calls one person once, or again for a reason that is written in its rows, never too often."""
    steps = defaultdict(list)
    for attempt in stored.attempts:
        place = ("page_id", "round", "step", "person", "means")
        if attempt["means"] in ("voice", "sms"):
            steps[tuple(attempt[name] for name in place)].append(attempt)
    for (page, round_, step, person, means), tries in steps.items():
        made = sum(len(journal.requests.get(attempt["id"], [])) for attempt in tries)
        if made > MOST_TRIES:
            verdict.blame(f"page {page} round {round_} step {step}: {made} requests by {means} to {person}")
        if made > 1:
            why = sorted({str(attempt["why"]) for attempt in tries if attempt["why"]} - {"not_needed"})
            name = f"page {page} round {round_} step {step} {means} {person}"
            verdict.twice(_WHAT[means], _REASONS.get(why[0], why[0]) if why else "no reason", name, made - 1)
            if not why:
                verdict.blame(f"{name}: {made} requests without a reason")


_WHAT = {"voice": "call", "sms": "page text"}
_REASONS = {
    "lost": "the process died while its request was under way",
    "no_answer": "no answer came to the request",
    "not_reached": "no connection came about",
}
