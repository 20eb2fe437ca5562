"""A small town of synthetic cases for the console's tests and screenshots. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, update

from escalation.roster import Person, Role, Roster, Shift
from store.ids import Ids
from store.schema import addresses, attempts, citizens, pages, tickets
from store.vault import Vault
from tickets.record import Case, Record

ATHENS = ZoneInfo("Europe/Athens")
PEOPLE = {
    "eleni": Person("eleni", "Ελένη", "+306900000001", ("el", "en")),
    "nikos": Person("nikos", "Νίκος", "+306900000002"),
    "dora": Person("dora", "Δώρα", "+306900000009", ("el", "en"), Role.supervisor),
}
ROSTER = Roster(
    PEOPLE,
    (
        Shift(frozenset(range(7)), 8 * 60, 20 * 60, ("eleni", "nikos")),
        Shift(frozenset(range(7)), 20 * 60, 8 * 60, ("nikos",)),
    ),
    ATHENS,
)


@dataclass(slots=True)
class Town:
    """Writes cases straight into the record, as the turn and the pager would."""

    vault: Vault
    ids: Ids
    record: Record

    def citizen(self, tx: Connection, now: datetime, channel: str = "web") -> int:
        """Somebody who once wrote."""
        citizen, row = self.ids.new(), self.ids.new()
        tx.execute(insert(citizens).values(id=citizen, created_at=now, language="el"))
        address = self.vault.seal("addresses", row, "address", str(citizen))
        tx.execute(
            insert(addresses).values(
                id=row,
                citizen_id=citizen,
                channel=channel,
                address_index=self.vault.indexes("address", str(citizen))[0],
                address=address,
                state="open",
                last_in_at=now,
            )
        )
        return citizen

    def case(
        self,
        tx: Connection,
        now: datetime,
        ref: str,
        topic: str = "food_aid",
        risk: str = "none",
        kind: str | None = None,
        channel: str = "web",
        language: str = "el",
        words: tuple[tuple[str, str], ...] = (),
        answers: dict[str, Any] | None = None,
        district: str | None = None,
    ) -> int:
        """A ticket with its first words (by, text), 20 seconds apart."""
        citizen = self.citizen(tx, now, channel)
        case = Case(ref, citizen, topic, risk, kind, channel, language, answers or {}, district)
        ticket = self.record.open(tx, case, now)
        for number, (by, text) in enumerate(words):
            self.record.add(tx, ticket, by, "said", text, now + timedelta(seconds=20 * number))
        return ticket

    def page(
        self, tx: Connection, ticket: int, now: datetime, state: str, *tried: tuple[str, str, str]
    ) -> int:
        """A page with its attempts (person, means, state), 60 seconds apart."""
        page = self.ids.new()
        values = {"state": state, "round": 1, "step": 0, "due_at": now, "needed_at": now, "passed_over": []}
        tx.execute(insert(pages).values(id=page, ticket_id=ticket, **values))
        for number, (person, means, outcome) in enumerate(tried):
            at = now + timedelta(seconds=60 * number)
            tx.execute(
                insert(attempts).values(
                    id=self.ids.new(),
                    page_id=page,
                    round=1,
                    step=number,
                    person=person,
                    means=means,
                    state=outcome,
                    keys="4",
                    at=at,
                    tries=1,
                    provider_seq=0,
                )
            )
        return page


def fill(tx: Connection, town: Town, now: datetime) -> None:
    """A night and a morning: danger that rings, danger that is talked with, questions, and closed cases."""
    record = town.record
    red = town.case(
        tx,
        now - timedelta(minutes=2),
        "HRK-7F3K",
        "psych_support",
        "red",
        "suicide",
        "viber",
        words=(
            ("citizen", "Δεν αντέχω άλλο. Έχω χάπια μπροστά μου και δεν έχω κανέναν να μιλήσω."),
            (
                "bot",
                "Σας διάβασα και μένω εδώ. Ειδοποιώ τώρα άνθρωπο. Είστε μόνος αυτή τη στιγμή;",
            ),
            ("citizen", "ναι"),
        ),
    )
    tx.execute(update(tickets).where(tickets.c.id == red).values(wants_human=True))
    town.page(
        tx,
        red,
        now - timedelta(seconds=80),
        "ringing",
        ("eleni", "voice", "unanswered"),
        ("nikos", "voice", "ringing"),
    )
    talk = town.case(
        tx,
        now - timedelta(minutes=26),
        "HRK-4MXA",
        "violence",
        "red",
        "violence",
        "telegram",
        answers={"place": "Πόρος", "phone": "+306900001234", "children": 2},
        district="Πόρος",
        words=(
            ("citizen", "Ο άντρας μου φωνάζει και σπάει πράγματα, έχω τα παιδιά μαζί μου."),
            ("bot", "Αν κινδυνεύετε τώρα, καλέστε το 100 ή το 112. Ειδοποιώ άνθρωπο της γραμμής."),
        ),
    )
    page = town.page(tx, talk, now - timedelta(minutes=26), "contacted", ("eleni", "voice", "acknowledged"))
    tx.execute(
        update(pages).where(pages.c.id == page).values(acknowledged_by="eleni", acknowledged_via="voice")
    )
    at = now - timedelta(minutes=25)
    record.add(tx, talk, "system", "page", "paging eleni by voice+sms", now - timedelta(minutes=26))
    record.add(tx, talk, "eleni", "page", "page acknowledged by eleni via voice", at)
    record.assign(tx, talk, "eleni", at)
    record.add(tx, talk, "system", "handoff", "started", at)
    record.add(
        tx, talk, "eleni", "said", "Καλησπέρα, είμαι η Ελένη. Διάβασα όσα γράψατε. Είστε ασφαλείς τώρα;", at
    )
    record.first_human_word(tx, talk, at)
    record.add(
        tx, talk, "citizen", "said", "Είμαι στο μπάνιο και έχω κλειδώσει.", now - timedelta(minutes=24)
    )
    record.add(
        tx,
        talk,
        "eleni",
        "note",
        "Έχει ζητήσει βοήθεια και τον Μάρτιο. Κάλεσα το 100.",
        now - timedelta(minutes=23),
    )
    record.add(
        tx,
        talk,
        "eleni",
        "said",
        "Μείνετε εκεί. Η αστυνομία έρχεται, μένω μαζί σας.",
        now - timedelta(minutes=22),
    )
    record.add(tx, talk, "citizen", "said", "Τους ακούω στη σκάλα", now - timedelta(minutes=1))
    town.case(
        tx,
        now - timedelta(minutes=48),
        "HRK-9TCD",
        "homelessness",
        "amber",
        None,
        "telegram",
        "en",
        words=(("citizen", "I have no place to sleep tonight, they put me out of the room this morning"),),
        answers={"where": "the old bus station", "people": 1},
    )
    town.case(
        tx,
        now - timedelta(hours=3),
        "HRK-PN4U",
        "food_aid",
        words=(("citizen", "Χρειαζόμαστε τρόφιμα, είμαστε τέσσερα άτομα και τα παιδιά είναι μικρά."),),
        answers={
            "today": "little",
            "people": 4,
            "children": 2,
            "income": "low",
            "where": "Θέρισος",
            "phone": "+306900004321",
        },
        district="Θέρισος",
    )
    taken = town.case(
        tx,
        now - timedelta(hours=20),
        "HRK-RKY7",
        "water_tariff",
        channel="viber",
        words=(("citizen", "Ο λογαριασμός του νερού ήρθε διπλάσιος και δεν μπορώ να τον πληρώσω"),),
        answers={"people": 3},
    )
    record.assign(tx, taken, "nikos", now - timedelta(hours=19))
    for number in range(34):
        opened = now - timedelta(days=1 + number, hours=number % 7)
        topic = ("food_aid", "water_tariff", "documents", "benefits", "homelessness")[number % 5]
        channel = ("web", "viber", "telegram")[number % 3]
        old = town.case(
            tx,
            opened,
            f"HRK-{'3479ACDEFG'[number // 10]}{'HKMNPRTUXY'[number % 10]}{'34'[number % 2]}K",
            topic,
            "amber" if number % 9 == 4 else "none",
            channel=channel,
            words=(("citizen", "Καλημέρα, θα ήθελα να ρωτήσω τι χαρτιά χρειάζονται."),),
        )
        record.assign(tx, old, ("eleni", "nikos")[number % 2], opened + timedelta(minutes=9))
        outcome = ("helped", "informed", "referred", "no_answer")[number % 4]
        record.close(tx, old, ("eleni", "nikos")[number % 2], outcome, opened + timedelta(hours=2))
