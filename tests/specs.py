"""Checks OUTGOING requests against how the three providers describe themselves (../shared/specs).

Each check raises AssertionError with what is wrong; where the reference data is absent the test is skipped
and says so. Viber publishes no schema, so its documented limits stand here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SPECS = Path(__file__).resolve().parent.parent.parent / "shared" / "specs"
PRIMITIVES = {"Integer", "String", "Boolean", "Float", "InputFile"}


@cache
def load(name: str) -> Any:
    """One reference document; skips the test where it is absent."""
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"reference data {name} is absent")
    return json.loads(path.read_text("utf-8"))


def check_telegram(method: str, params: Mapping[str, Any]) -> None:
    """Known method, known names, required ones present, types right, objects inside checked alike."""
    methods = load("telegram/api.json")["methods"]
    assert method in methods, f"{method} is no Bot API method"
    _check_fields(method, methods[method].get("fields", []), _opened(params))


def check_twilio(path: str, params: Mapping[str, Any], method: str = "POST") -> None:
    """A form for a path such as /2010-04-01/Accounts/AC.../Calls.json, against the OpenAPI document."""
    document = load("twilio/twilio_api_v2010.json")
    template = next((t for t in document["paths"] if _fits(t, path)), None)
    assert template is not None, f"{path} is no path of Twilio's API"
    operation = document["paths"][template].get(method.lower())
    assert operation is not None, f"{path} takes no {method}"
    content = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
    schema = _resolved(document, content["schema"])
    missing = set(schema.get("required", [])) - set(params)
    assert not missing, f"{path} lacks {sorted(missing)}"
    for name, value in params.items():
        assert name in schema["properties"], f"{path} does not know {name}"
        _check_property(document, name, schema["properties"][name], value)
    if path.endswith("/Calls.json"):
        assert ("Url" in params) != ("Twiml" in params), "a call needs either Url or Twiml"


def check_viber(path: str, body: Mapping[str, Any]) -> None:
    """A JSON body for send_message or broadcast_message (or set_webhook), within the documented limits."""
    name = path.rsplit("/", 1)[-1]
    if name == "set_webhook":
        assert isinstance(body.get("url"), str), "set_webhook lacks url"
        return
    if name in ("get_account_info", "get_user_details", "get_online"):
        return
    assert name in ("send_message", "broadcast_message"), f"{path} is no Viber call"
    size = len(json.dumps(body, ensure_ascii=False).encode())
    assert size <= 30_000, f"the request has {size} bytes, 30 kB are allowed"
    _check_receivers(name, body)
    assert 1 <= len(body["sender"]["name"]) <= 28, "sender.name has 1 to 28 characters"
    assert len(body.get("tracking_data", "")) <= 4096, "tracking_data is too long"
    _check_content(body)
    if body.get("keyboard") is not None:
        _check_keyboard(body["keyboard"], int(body.get("min_api_version", 1)))


def _check_fields(where: str, fields: list[dict[str, Any]], values: Mapping[str, Any]) -> None:
    known = {field["name"]: field for field in fields}
    missing = {name for name, field in known.items() if field["required"]} - set(values)
    assert not missing, f"{where} lacks {sorted(missing)}"
    for name, value in values.items():
        assert name in known, f"{where} does not know {name}"
        kinds = known[name]["types"]
        assert any(_is(kind, value) for kind in kinds), f"{where}.{name} is not {kinds}: {value!r}"
        _check_inside(f"{where}.{name}", kinds, value)


def _check_inside(where: str, kinds: list[str], value: Any) -> None:
    """Objects are checked field by field, of a union the first kind that fits; lists each by each."""
    if isinstance(value, list):
        inner = [kind.removeprefix("Array of ") for kind in kinds if kind.startswith("Array of ")]
        for each in value:
            _check_inside(where, inner, each)
    elif isinstance(value, dict):
        described = _described(kinds)
        fitting = [one for one in described if _required(one) <= set(value)] or described
        assert fitting, f"{where} is no object of {kinds}"
        _check_fields(where, fitting[0].get("fields", []), value)


def _described(kinds: list[str]) -> list[dict[str, Any]]:
    """The descriptions of these types, families replaced by their members."""
    types = load("telegram/api.json")["types"]
    found = [types[kind] for kind in kinds if kind in types]
    return [types[name] for one in found for name in one.get("subtypes", [one["name"]])]


def _required(described: dict[str, Any]) -> set[str]:
    return {field["name"] for field in described.get("fields", []) if field["required"]}


def _is(kind: str, value: Any) -> bool:
    if kind.startswith("Array of "):
        return isinstance(value, list) and all(_is(kind.removeprefix("Array of "), each) for each in value)
    if kind == "Integer":
        return not isinstance(value, bool) and re.fullmatch(r"-?\d+", str(value)) is not None
    if kind == "Float":
        return not isinstance(value, bool) and re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None
    if kind == "Boolean":
        return str(value).lower() in ("true", "false")
    if kind in ("String", "InputFile"):
        return isinstance(value, str)
    return isinstance(value, dict)


def _opened(params: Mapping[str, Any]) -> dict[str, Any]:
    """Objects and lists travel as JSON text in a form."""
    opened = {}
    for name, value in params.items():
        packed = isinstance(value, str) and value[:1] in ("{", "[") and name not in ("text", "caption")
        opened[name] = json.loads(value) if packed else value
    return opened


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _check_property(document: dict[str, Any], name: str, schema: dict[str, Any], value: Any) -> None:
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        for each in value if isinstance(value, list) else [value]:
            _check_property(document, name, schema["items"], each)
        if name == "StatusCallbackEvent":
            allowed = {"initiated", "ringing", "answered", "completed"}
            assert set(value if isinstance(value, list) else [value]) <= allowed, f"{name}: {value!r}"
        return
    assert not isinstance(value, list), f"{name} must not be repeated"
    text = str(value)
    if "enum" in schema:
        assert text in schema["enum"], f"{name} is not one of {schema['enum']}: {text!r}"
    if schema.get("type") == "integer":
        assert re.fullmatch(r"-?\d+", text), f"{name} is no whole number: {text!r}"
    if schema.get("type") == "boolean":
        assert text.lower() in ("true", "false"), f"{name} is neither true nor false: {text!r}"
    if "pattern" in schema:
        assert re.search(schema["pattern"], text), f"{name} does not match {schema['pattern']}"
    _check_format(name, schema.get("format", ""), text)


def _check_format(name: str, form: str, text: str) -> None:
    if form == "uri":
        assert re.match(r"https?://[^\s/]+", text), f"{name} is no absolute address"
    if form == "http-method":
        assert text in ("GET", "POST"), f"{name} is no method: {text!r}"
    if form in ("phone-number", "endpoint") and name == "To":
        assert re.fullmatch(r"\+[1-9]\d{6,14}", text), f"{name} is no number in E.164"
    if form == "twiml":
        assert len(text) <= 4000, "Twiml is longer than 4000 characters"
        assert text.lstrip().startswith("<"), "Twiml is no XML"


def _check_receivers(name: str, body: Mapping[str, Any]) -> None:
    if name == "send_message":
        assert isinstance(body.get("receiver"), str), "send_message lacks receiver"
        assert body["receiver"], "receiver is empty"
    else:
        assert 1 <= len(body.get("broadcast_list", [])) <= 300, "broadcast_list has 1 to 300 receivers"


def _check_content(body: Mapping[str, Any]) -> None:
    needs = {
        "text": ["text"],
        "picture": ["text", "media"],
        "video": ["media", "size"],
        "file": ["media", "size", "file_name"],
        "url": ["media"],
        "location": ["location"],
        "contact": ["contact"],
        "sticker": ["sticker_id"],
        "rich_media": ["rich_media"],
    }
    kind = body.get("type")
    assert kind in needs, f"unknown type {kind!r}"
    missing = [name for name in needs[kind] if body.get(name) is None]
    assert not missing, f"{kind} lacks {missing}"
    limit = 7000 if kind == "text" else 768
    assert len(body.get("text", "")) <= limit, f"text has more than {limit} characters"
    assert kind != "text" or body["text"], "text is empty"


def _check_keyboard(keyboard: Mapping[str, Any], min_api_version: int) -> None:
    assert keyboard.get("Type") == "keyboard", "keyboard.Type must be keyboard"
    assert keyboard.get("Buttons"), "a keyboard needs Buttons"
    for button in keyboard["Buttons"]:
        action = button.get("ActionType", "reply")
        assert action in ("reply", "open-url", "share-phone", "location-picker", "none"), action
        assert action == "none" or button.get("ActionBody"), "a button needs ActionBody"
        assert len(button.get("Text", "")) <= 250, "Text of a button has more than 250 characters"
        assert 1 <= button.get("Columns", 6) <= 6, "Columns are 1 to 6"
        assert 1 <= button.get("Rows", 1) <= 2, "Rows are 1 or 2"
        newer = action in ("share-phone", "location-picker")
        assert not newer or min_api_version >= 3, f"{action} needs min_api_version 3"
