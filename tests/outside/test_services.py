"""The four services, written in Greek, Greeklish and English, end in a ticket with its reference."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.outside.citizen import answer_until_ref
from tests.outside.product import Product
from tests.specs import check_telegram, check_viber

REQUESTS = {
    "food_aid": (
        "Θα ήθελα βοήθεια με τρόφιμα για την οικογένειά μου",
        "thelo voithia me trofima den exoume na fame",
        "I need food for my family",
    ),
    "water_tariff": (
        "Θέλω να κάνω αίτηση για το κοινωνικό τιμολόγιο νερού",
        "thelo to koinoniko timologio nerou",
        "I want the social tariff for my water bill",
    ),
    "homelessness": (
        "Δεν έχω πού να κοιμηθώ απόψε",
        "den exo pou na koimitho apopse",
        "I have nowhere to sleep tonight",
    ),
    "psych_support": (
        "Θα ήθελα να μιλήσω με ψυχολόγο",
        "thelo na miliso me psyxologo",
        "I would like to talk to a psychologist",
    ),
}


async def test_every_service_in_three_spellings_ends_in_a_ticket(product: Product) -> None:
    cases = [(topic, text) for topic, texts in REQUESTS.items() for text in texts]
    phones = {text: product.telegram.phone(5000 + number, "Maria") for number, (_, text) in enumerate(cases)}

    async def ask(topic: str, text: str) -> tuple[str, str]:
        await phones[text].says(text)
        return topic, await answer_until_ref(phones[text], product.record)

    told = await asyncio.gather(*(ask(topic, text) for topic, text in cases))
    kept = {ticket["ref"]: ticket for ticket in await product.tickets()}
    assert [(topic, kept[ref]["topic"]) for topic, ref in told] == [(topic, topic) for topic, _ in told]
    assert all(ticket["status"] == "open" and ticket["channel"] == "telegram" for ticket in kept.values())
    for request in product.record.requests(provider="telegram", path="sendMessage"):
        check_telegram("sendMessage", request.params)


@pytest.mark.parametrize("topic", ["food_aid"])
async def test_viber_carries_the_same_conversation(product: Product, topic: str) -> None:
    phone = product.viber.phone("bWFyaWE=", "Maria")
    await phone.says(REQUESTS[topic][0])
    ref = await answer_until_ref(phone, product.record)
    ticket = await product.ticket(lambda one: one["ref"] == ref)
    assert (ticket["topic"], ticket["channel"]) == (topic, "viber")
    for request in product.record.requests(provider="viber", path="/send_message"):
        check_viber("/send_message", request.params)


async def test_nothing_of_a_citizen_can_be_read_on_disk_or_in_a_log(product: Product) -> None:
    phone = product.telegram.phone(777000111, "Ευανθία")
    await phone.says("Θα ήθελα βοήθεια με τρόφιμα, μένω στην οδό Ανεμώνης")
    ref = await answer_until_ref(phone, product.record)
    await product.ticket(lambda one: one["ref"] == ref)
    await product.stop()
    kept = b"".join(path.read_bytes() for path in product.folder.iterdir() if path.is_file())
    roster = product.folder / "roster.yaml"
    kept = kept.replace(roster.read_bytes(), b"")
    secrets = ("Ανεμώνης", "τρόφιμα", "Ευανθία", "777000111", "6900000123", "+306900000001", "outside-secret")
    assert [word for word in secrets if word.encode() in kept] == []
    assert re.search(rb"100001:outside", kept) is None
