"""Twilio's signatures: known answers, both tokens, and nothing that makes the check raise."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.twilio import TwilioClient
from tests.specs import load

PATH, FORM = "/webhooks/twilio/voice?page=1", {"CallSid": "CA1", "Digits": "4"}


def client_of(public_url: str, token: str, old: str | None = None) -> TwilioClient:
    return TwilioClient(
        account_sid="AC1",
        auth_token=token,
        auth_token_old=old,
        from_number="+306900000100",
        api_url="http://127.0.0.1:9",
        public_url=public_url,
    )


def signed(url: str, token: str, form: dict[str, str] | None = None) -> str:
    return str(RequestValidator(token).compute_signature(url, FORM if form is None else form))


def vectors() -> list[dict[str, Any]]:
    """Those about forms: bodies of JSON are not accepted by us at all."""
    found = [v for v in load("twilio/signature_vectors.json") if v.get("params") and not v.get("body")]
    assert len(found) > 8
    return found


def test_known_answers() -> None:
    for vector in vectors():
        parts = urlsplit(vector["url"])
        path = vector["url"].removeprefix(f"{parts.scheme}://{parts.netloc}")
        client = client_of(f"{parts.scheme}://{parts.netloc}", vector["auth_token"])
        params = vector["params"]
        form = MultiDict(params if isinstance(params, dict) else [(k, v) for k, v in params])
        good = vector["valid"] and vector.get("algorithm", "HMAC_SHA1") in (None, "HMAC_SHA1")
        assert client.verify(path, form, vector["signature"]) is good, vector["name"]


@pytest.mark.parametrize(
    "signed_for",
    ["https://limani.example", "https://limani.example:443"],
)
def test_the_port_may_be_signed_or_not(signed_for: str) -> None:
    for public in ("https://limani.example", "https://limani.example:443"):
        assert client_of(public, "new").verify(PATH, FORM, signed(signed_for + PATH, "new"))


def test_an_address_with_a_path_and_a_port() -> None:
    client = client_of("http://127.0.0.1:8080/limani", "new")
    assert client.verify(PATH, FORM, signed("http://127.0.0.1:8080/limani" + PATH, "new"))
    assert not client.verify(PATH, FORM, signed("http://127.0.0.1:8080" + PATH, "new"))


def test_both_tokens_count_while_they_change() -> None:
    client = client_of("https://limani.example", "new", "old")
    for token, good in (("new", True), ("old", True), ("other", False)):
        assert client.verify(PATH, FORM, signed("https://limani.example" + PATH, token)) is good


def test_another_scheme_path_or_digit_is_forged() -> None:
    client = client_of("https://limani.example", "new")
    good = signed("https://limani.example" + PATH, "new")
    assert not client.verify(PATH, {**FORM, "Digits": "5"}, good)
    assert not client.verify(PATH + "2", FORM, good)
    assert not client.verify(PATH, FORM, signed("http://limani.example" + PATH, "new"))


@pytest.mark.parametrize("signature", [None, "", "x", "ω", "\udc80", "a" * 100_000])
def test_a_broken_signature_is_only_wrong(signature: str | None) -> None:
    assert not client_of("https://limani.example", "new").verify(PATH, FORM, signature)


def test_a_body_that_is_signed_by_its_hash_is_not_for_us() -> None:
    path = "/webhooks/twilio/voice?bodySHA256=" + "0" * 64
    client = client_of("https://limani.example", "new")
    assert not client.verify(path, {}, signed("https://limani.example" + path, "new", {}))


@given(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.dictionaries(
        st.text(st.characters(exclude_categories=())), st.none() | st.binary() | st.text(), max_size=3
    ),
    st.text(st.characters(exclude_categories=())),
)
def test_nothing_makes_it_raise(path: str, form: dict[str, Any], signature: str) -> None:
    assert client_of("https://limani.example", "new").verify(path, form, signature) is False
