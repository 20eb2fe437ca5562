"""Sealed columns, blind indexes and signatures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.vault import SealBroken, Vault, new_key

VAULT = Vault([new_key()])


@given(st.text(), st.integers(1, 2**62))
def test_what_was_sealed_opens_at_its_place(text: str, row: int) -> None:
    sealed = VAULT.seal("inbox", row, "body", text)
    assert VAULT.open("inbox", row, "body", sealed) == text


@pytest.mark.parametrize("place", [("inbox", 2, "body"), ("outbox", 1, "body"), ("inbox", 1, "name")])
def test_a_value_moved_to_another_place_does_not_open(place: tuple[str, int, str]) -> None:
    sealed = VAULT.seal("inbox", 1, "body", "λόγια")
    with pytest.raises(SealBroken):
        VAULT.open(*place, sealed)


def test_a_changed_byte_does_not_open() -> None:
    sealed = bytearray(VAULT.seal("inbox", 1, "body", "λόγια"))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken):
        VAULT.open("inbox", 1, "body", bytes(sealed))


def test_old_keys_open_and_new_ones_seal() -> None:
    old_key, key = new_key(), new_key()
    old, both = Vault([old_key]), Vault([key, old_key])
    sealed = old.seal("t", 1, "c", "x")
    assert both.open("t", 1, "c", sealed) == "x"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("t", 1, "c", "x"))
    assert old.indexes("a", "1")[0] in both.indexes("a", "1")
    assert both.verify("link", "m", old.sign("link", "m"))
    with pytest.raises(SealBroken):
        old.open("t", 1, "c", both.seal("t", 1, "c", "x"))


@given(st.text())
def test_only_its_own_signature_is_good(text: str) -> None:
    signature = VAULT.sign("link", text)
    assert VAULT.verify("link", text, signature)
    assert not VAULT.verify("link", text + "!", signature)
    assert not VAULT.verify("other", text, signature)
    assert not VAULT.verify("link", text, "παραποιημένη")
