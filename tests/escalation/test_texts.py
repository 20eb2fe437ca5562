"""Texts and links: Greek stays whole, links stay links, and neither carries a word of the case."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.gsm7 import LOOK_ALIKES, Alphabet, in_capitals, is_gsm7, segments
from escalation.links import LASTS, Links
from escalation.sms import page_text
from sandbox.gsm import encoding_of, segments_of
from store.clock import ManualClock
from store.ids import Ids
from store.vault import Vault, new_key

GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫ"
GREEK_AGAIN = {latin: greek for greek, latin in LOOK_ALIKES.items()}


def bare_capitals(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).upper()


@given(st.text(GREEK + " .,:!0123456789"))
def test_greek_in_look_alikes_reads_as_the_same_greek(text: str) -> None:
    sent = in_capitals(text)
    assert is_gsm7(sent)
    assert "".join(GREEK_AGAIN.get(letter, letter) for letter in sent) == bare_capitals(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?=&%"))
def test_a_link_is_not_touched(link: str) -> None:
    assert in_capitals(link) == link


@given(st.text())
def test_segments_agree_with_the_networks_rule_for_any_text(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert segments(whole) == segments_of(whole)
    assert is_gsm7(whole) == (encoding_of(whole) == "GSM-7")
    assert is_gsm7(in_capitals(whole))


@pytest.mark.parametrize(
    ("text", "count"), [("", 1), ("A" * 160, 1), ("A" * 161, 2), ("€" * 80, 1), ("α" * 70, 1), ("α" * 71, 2)]
)
def test_segments_at_the_edges(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.fixture
def links(vault: Vault) -> Links:
    return Links(vault, "https://limani.example/")


def test_a_page_in_greek_is_one_message_with_a_working_link(links: Links, ids: Ids) -> None:
    link = links.url(ids.new())
    text = page_text("HRK-7F3K", link, "el", Alphabet.capitals)
    assert link in text
    assert "HRK-7F3K" in text
    assert text.startswith("ΛIMANI: ΣAΣ XPEIAZONTAI TΩPA.")
    assert segments(text) == 1
    assert segments(page_text("HRK-7F3K", link, "en", Alphabet.capitals)) == 1
    full = page_text("HRK-7F3K", link, "el", Alphabet.full)
    assert full.startswith("Λιμάνι: σας χρειάζονται τώρα.")
    assert segments(full) == 2


def test_a_token_opens_its_attempt_until_it_expires(links: Links, ids: Ids, clock: ManualClock) -> None:
    attempt = ids.new()
    token = links.token(attempt)
    assert links.read(token, clock.now()) == attempt
    assert links.read(token, clock.now() + LASTS - timedelta(minutes=2)) == attempt
    assert links.read(token, clock.now() + LASTS) is None


def test_a_foreign_or_changed_token_opens_nothing(links: Links, ids: Ids, clock: ManualClock) -> None:
    token = links.token(ids.new())
    other = links.token(ids.new())
    foreign = Links(Vault([new_key()]), "https://limani.example").token(ids.new())
    swapped = ".".join([*other.split(".")[:2], token.split(".")[2]])
    for wrong in (
        "",
        ".",
        "..",
        "a.b.c",
        token[:-1],
        token + "A",
        token.swapcase(),
        swapped,
        foreign,
        "ό.ό.ό",
    ):
        assert links.read(wrong, clock.now()) is None
