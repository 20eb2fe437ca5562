"""What Viber's callbacks mean, and that no body whatsoever stops the parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.viber_callbacks import understand
from bot.incoming import Incoming, Left, NotUnderstood, Receipt
from flows.session import StimulusKind
from tests.bot.rig import JSON
from tests.specs import load

MARIA = {"id": "01234567890A=", "name": "Maria", "language": "el"}


def callback(event: str, **content: Any) -> bytes:
    body = {"event": event, "timestamp": 1, "message_token": 4912661846655238145, **content}
    return json.dumps(body).encode()


def message(kind: str, **content: Any) -> bytes:
    return callback("message", sender=MARIA, message={"type": kind, **content})


def incoming(raw: bytes) -> Incoming:
    arrival = understand(raw)
    assert isinstance(arrival, Incoming)
    return arrival


def test_a_text() -> None:
    assert incoming(message("text", text="δεν αντέχω άλλο", tracking_data="ours")) == Incoming(
        "viber",
        "m4912661846655238145",
        "01234567890A=",
        StimulusKind.said,
        text="δεν αντέχω άλλο",
        message_id="4912661846655238145",
        name="Maria",
        language="el",
    )


def test_a_tap_comes_as_the_token_of_its_button() -> None:
    arrival = incoming(message("text", text="~abc.1"))
    assert (arrival.kind, arrival.button, arrival.text) == (StimulusKind.tapped, "~abc.1", "")


@pytest.mark.parametrize("text", ["~zzzzzzzzzzzzz.0", "~abc.²", "~abc.1 ", "x~abc.1", "~abc"])
def test_what_only_looks_like_a_tap_is_said(text: str) -> None:
    assert incoming(message("text", text=text)).kind is StimulusKind.said


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            message("picture", text="χάπια", media="https://m.example/1"),
            ("χάπια", "photo", "https://m.example/1"),
        ),
        (message("video", media="https://m.example/2"), ("", "video", "https://m.example/2")),
        (message("file", media="https://m.example/3"), ("", "document", "https://m.example/3")),
        (message("sticker", sticker_id="40133"), ("", "sticker", "40133")),
        (message("picture"), ("", "photo", None)),
    ],
)
def test_files(raw: bytes, expected: tuple[str, str, str | None]) -> None:
    arrival = incoming(raw)
    assert arrival.kind is StimulusKind.filed
    assert (arrival.text, arrival.file_kind, arrival.file_id) == expected


def test_places_contacts_and_links() -> None:
    assert incoming(message("location", location={"lat": 35.3, "lon": 25})).place == (35.3, 25.0)
    shared = incoming(message("contact", contact={"name": "Maria", "phone_number": "306900000099"}))
    assert (shared.kind, shared.text) == (StimulusKind.shared_phone, "+306900000099")
    link = incoming(message("url", text="δείτε", media="http://a.example"))
    assert (link.kind, link.text) == (StimulusKind.said, "δείτε\nhttp://a.example")


def test_words_under_an_unknown_kind_of_message_are_read() -> None:
    assert incoming(message("hologram", text="βοήθεια")).text == "βοήθεια"


def test_opening_and_leaving() -> None:
    started = incoming(callback("conversation_started", user=MARIA, type="open", context="x"))
    joined = incoming(callback("subscribed", user=MARIA))
    assert {started.kind, joined.kind} == {StimulusKind.opened}
    assert started.provider_key != joined.provider_key
    assert understand(callback("unsubscribed", user_id="01234567890A=")) == Left("viber", "01234567890A=")


@pytest.mark.parametrize("outcome", ["delivered", "seen", "failed"])
def test_receipts_name_our_own_message(outcome: str) -> None:
    found = understand(callback(outcome, user_id="x", desc="too old" if outcome == "failed" else None))
    why = "too old" if outcome == "failed" else None
    assert found == Receipt("viber", "4912661846655238145", outcome, why)


def test_the_webhook_s_own_question_is_nothing_to_keep() -> None:
    assert understand(callback("webhook")) is None


def test_a_repeated_callback_has_the_same_key() -> None:
    first, again = message("text", text="ένα"), message("text", text="ένα", extra=1)
    assert incoming(first).provider_key == incoming(again).provider_key
    bare = json.dumps(
        {"event": "message", "sender": MARIA, "message": {"type": "text", "text": "ένα"}}
    ).encode()
    assert incoming(bare).provider_key == incoming(bare).provider_key


def test_callbacks_as_viber_s_own_libraries_know_them() -> None:
    understood = {
        name: understand(json.dumps(body).encode())
        for name, body in load("viber/payloads_and_vectors.json")["callbacks"].items()
    }
    strange = {name for name, found in understood.items() if isinstance(found, NotUnderstood)}
    assert strange == {"message_text_without_text", "unexpected"}
    assert {name for name, found in understood.items() if found is None} == {"webhook", "webhook_64bit_token"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"\xff",
        b"[" * 100_000,
        callback("client_status"),
        callback("message"),
        callback("message", sender=MARIA, message=None),
        callback("message", sender={"id": 7}, message={"type": "text", "text": "x"}),
        message("location", location={"lat": "35", "lon": 25}),
        message("contact", contact={}),
        callback("delivered", message_token="x"),
        callback("unsubscribed"),
        callback("subscribed", user=[]),
    ],
)
def test_what_is_not_understood_is_kept(raw: bytes) -> None:
    found = understand(raw)
    assert isinstance(found, NotUnderstood)
    assert found.raw == raw.decode("utf-8", "replace")[: 64 * 1024]


FIELDS = ["message_token", "sender", "user", "user_id", "message", "timestamp", "desc"]
EVENTS = ["message", "subscribed", "unsubscribed", "conversation_started", "seen", "failed", "webhook"]
KINDS = ["text", "picture", "url", "location", "contact", "sticker", "file"]
CONTENT = st.dictionaries(
    st.sampled_from(["text", "media", "location", "contact", "sticker_id"]),
    JSON,
).flatmap(lambda content: st.sampled_from(KINDS).map(lambda kind: {"type": kind, **content}))
CALLBACKS = st.builds(
    lambda event, fields, content: {"event": event, "sender": MARIA, "message": content, **fields},
    st.sampled_from(EVENTS),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    CONTENT,
)


@given(JSON | CALLBACKS)
def test_no_json_makes_it_raise(value: Any) -> None:
    arrival = understand(json.dumps(value).encode())
    if isinstance(arrival, Incoming):
        json.dumps(arrival.body(), ensure_ascii=False).encode()
        assert arrival.address
        assert len(arrival.provider_key) <= 200


@given(st.binary())
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    assert isinstance(understand(raw), NotUnderstood)
