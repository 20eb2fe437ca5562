"""What Telegram's updates mean, and that no body whatsoever stops the parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram_updates import understand
from bot.incoming import Incoming, Left, NotUnderstood
from flows.session import StimulusKind
from tests.bot.rig import JSON

MARIA = {"id": 1001, "is_bot": False, "first_name": "Maria", "language_code": "el-GR"}
CHAT = {"id": 1001, "type": "private", "first_name": "Maria"}


def update(number: int = 7, **content: Any) -> bytes:
    return json.dumps({"update_id": number, **content}).encode()


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1, "chat": CHAT, "from": MARIA, **content}


def said(**content: Any) -> Incoming:
    arrival = understand(update(message=message(**content))).arrival
    assert isinstance(arrival, Incoming)
    return arrival


def strange(raw: bytes) -> NotUnderstood:
    arrival = understand(raw).arrival
    assert isinstance(arrival, NotUnderstood)
    return arrival


def test_a_text() -> None:
    assert said(text="δεν αντέχω άλλο") == Incoming(
        "telegram",
        "u7",
        "1001",
        StimulusKind.said,
        text="δεν αντέχω άλλο",
        message_id="5",
        name="Maria",
        language="el",
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/start", StimulusKind.opened),
        ("/start food", StimulusKind.opened),
        ("/start@limani_bot", StimulusKind.opened),
        ("/start θέλω να πεθάνω", StimulusKind.said),
        ("/start i want to die", StimulusKind.said),
        ("/help", StimulusKind.said),
        ("/startle", StimulusKind.said),
    ],
)
def test_start_opens_only_when_nothing_else_is_said(text: str, kind: StimulusKind) -> None:
    arrival = said(text=text)
    assert arrival.kind is kind
    assert arrival.text == ("" if kind is StimulusKind.opened else text)


@pytest.mark.parametrize(
    ("content", "file_kind", "file_id"),
    [
        ({"photo": [{"file_id": "small"}, {"file_id": "large"}]}, "photo", "large"),
        ({"document": {"file_id": "d"}}, "document", "d"),
        ({"voice": {"file_id": "v"}}, "voice", "v"),
        ({"audio": {"file_id": "a"}}, "voice", "a"),
        ({"video": {"file_id": "m"}}, "video", "m"),
        ({"video_note": {"file_id": "n"}}, "video", "n"),
        ({"animation": {"file_id": "g"}, "document": {"file_id": "g"}}, "video", "g"),
        ({"sticker": {"file_id": "s"}}, "sticker", "s"),
        ({"photo": []}, "photo", None),
        ({"photo": 7}, "photo", None),
    ],
)
def test_a_file_keeps_its_caption(content: dict[str, Any], file_kind: str, file_id: str | None) -> None:
    arrival = said(caption="έχω χάπια μπροστά μου", **content)
    assert (arrival.kind, arrival.text) == (StimulusKind.filed, "έχω χάπια μπροστά μου")
    assert (arrival.file_kind, arrival.file_id) == (file_kind, file_id)


def test_words_under_an_unknown_kind_of_message_are_read() -> None:
    assert said(hologram={}, caption="βοήθεια").kind is StimulusKind.said


def test_a_place() -> None:
    arrival = said(location={"latitude": 35.34, "longitude": 25}, venue={"title": "Λιοντάρια"})
    assert (arrival.kind, arrival.place, arrival.text) == (StimulusKind.located, (35.34, 25.0), "Λιοντάρια")


@pytest.mark.parametrize("latitude", [91, float("nan"), float("inf"), "35", True, None, 10**400])
def test_no_place_on_this_globe(latitude: Any) -> None:
    assert strange(update(message=message(location={"latitude": latitude, "longitude": 25})))


def test_only_one_s_own_contact_is_a_shared_number() -> None:
    own = said(contact={"phone_number": "306900000099", "user_id": 1001})
    other = said(contact={"phone_number": "+30 690 000 0098", "user_id": 1002})
    nobody = said(contact={"phone_number": "+306900000097"})
    assert (own.kind, own.text) == (StimulusKind.shared_phone, "+306900000099")
    assert (other.kind, other.text) == (StimulusKind.said, "+306900000098")
    assert nobody.kind is StimulusKind.said


def test_an_edit_is_a_stimulus_of_its_own() -> None:
    raw = update(8, edited_message=message(text="καλά είμαι", edit_date=2))
    arrival = understand(raw).arrival
    assert isinstance(arrival, Incoming)
    assert (arrival.kind, arrival.provider_key, arrival.message_id) == (StimulusKind.edited, "u8", "5")


def test_a_moving_live_location_says_nothing() -> None:
    assert strange(update(edited_message=message(location={"latitude": 1, "longitude": 1})))


def tap(data: Any = "~abc.1", **query: Any) -> bytes:
    return update(
        callback_query={"id": "9", "from": MARIA, "message": message(text="?"), "data": data, **query}
    )


def test_a_tap() -> None:
    found = understand(tap())
    assert isinstance(found.arrival, Incoming)
    assert (found.arrival.kind, found.arrival.button) == (StimulusKind.tapped, "~abc.1")
    assert (found.arrival.address, found.tap) == ("1001", "9")


@pytest.mark.parametrize("data", ["food", "~zzzzzzzzzzzzz.0", "~abc.²", "~abc.1\n", "~ABC.1", "", None, 7])
def test_a_forged_tap_carries_no_button(data: Any) -> None:
    arrival = understand(tap(data)).arrival
    assert isinstance(arrival, Incoming)
    assert (arrival.kind, arrival.button) == (StimulusKind.tapped, None)


def test_a_tap_in_a_group_is_not_ours() -> None:
    assert strange(tap(message=message(chat={"id": -5, "type": "group"})))


def test_blocking_is_noted_and_unblocking_is_not() -> None:
    for status, arrival in (("kicked", Left("telegram", "1001")), ("member", None)):
        change = {"chat": CHAT, "from": MARIA, "new_chat_member": {"status": status}}
        assert understand(update(my_chat_member=change)).arrival == arrival


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe{",
        b"null",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
        update(message=message(text="hi", chat={"id": -5, "type": "group"})),
        update(message=message(text="hi", chat=None)),
        update(message=message(dice={"value": 6})),
        update(message=7),
        update(poll={}),
        update(),
    ],
)
def test_what_is_not_understood_is_kept(raw: bytes) -> None:
    assert strange(raw).raw == raw.decode("utf-8", "replace")[: 64 * 1024]


def test_the_key_of_a_strange_body_is_its_number_or_its_print() -> None:
    assert strange(update(3, poll={})).provider_key == "u3"
    assert strange(b"x").provider_key == strange(b"x").provider_key != strange(b"y").provider_key


def test_half_a_surrogate_and_a_nul_do_not_reach_the_store() -> None:
    raw = update(message=message(text="HERE")).replace(b"HERE", rb"a\ud83d\u0000b")
    arrival = understand(raw).arrival
    assert isinstance(arrival, Incoming)
    assert arrival.text == "a\ufffdb"
    assert arrival.text.encode()


def fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), JSON, max_size=len(names))


INNER = fields("message_id", "chat", "from", "text", "caption", "photo", "location", "contact", "data", "id")
CHATTY = st.builds(lambda inner, chat: {**inner, "chat": chat}, INNER, st.just(CHAT) | JSON)
UPDATES = st.dictionaries(
    st.sampled_from(["update_id", "message", "edited_message", "callback_query", "my_chat_member"]),
    JSON | INNER | CHATTY,
)


@given(JSON | UPDATES)
def test_no_json_makes_it_raise(value: Any) -> None:
    arrival = understand(json.dumps(value).encode()).arrival
    if isinstance(arrival, Incoming):
        json.dumps(arrival.body(), ensure_ascii=False).encode()
        assert arrival.address
        assert len(arrival.provider_key) <= 200


@given(st.binary())
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    assert isinstance(understand(raw).arrival, NotUnderstood)
