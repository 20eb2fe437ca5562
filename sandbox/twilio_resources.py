"""Calls and messages as Twilio's REST API writes them, and its way to say no."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

E164 = re.compile(r"\+[1-9]\d{6,14}")
SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
ADDRESS = re.compile(r"https?://[^\s/]+")
VERSION = "2010-04-01"
TWIML_LIMIT, BODY_LIMIT = 4000, 1600  # characters


class Refusal(Exception):
    """An HTTP status, one of Twilio's error codes, and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def refuse(refusal: Refusal) -> web.Response:
    """The error document."""
    content = {
        "code": refusal.code,
        "message": refusal.message,
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    return web.json_response(content, status=refusal.status)


def check_numbers(to: str, sender: str, missing_sender: int, alphanumeric: bool = False) -> None:
    """Raise Refusal unless both are numbers in E.164 (a sender may be a name where Twilio lets it)."""
    if not to:
        raise Refusal(400, 21201, "No 'To' number is specified")
    if not E164.fullmatch(to):
        raise Refusal(400, 21211, f"Invalid 'To' Phone Number: {to[:4]}XXXX")
    if not sender:
        raise Refusal(400, missing_sender, "A 'From' phone number is required.")
    if not E164.fullmatch(sender) and not (alphanumeric and SENDER.fullmatch(sender)):
        raise Refusal(400, 21212, "Invalid 'From' Phone Number")


def check_address(url: str, code: int, name: str) -> None:
    """Raise Refusal unless this is an absolute http(s) address."""
    if not ADDRESS.match(url):
        raise Refusal(400, code, f"{name} is not a valid URL")


def rfc2822(at: float | None) -> str | None:
    """Twilio's way to write a time."""
    return None if at is None else format_datetime(datetime.fromtimestamp(at, UTC))


def call_json(call: Any) -> dict[str, Any]:
    """A Call resource."""
    uri = f"/{VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": call.account_sid,
        "api_version": VERSION,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.sender,
        "from_formatted": call.sender,
        "status": call.status,
        "direction": call.direction,
        "answered_by": call.answered_by or None,
        "duration": None if call.ended_at is None else str(call.duration),
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.ended_at or call.answered_at or call.created_at),
        "start_time": rfc2822(call.answered_at),
        "end_time": rfc2822(call.ended_at),
        "queue_time": "0",
        "price": None,
        "price_unit": "USD",
        "parent_call_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
    }


def message_json(sms: Any) -> dict[str, Any]:
    """A Message resource."""
    return {
        "sid": sms.sid,
        "account_sid": sms.account_sid,
        "api_version": VERSION,
        "to": sms.to,
        "from": sms.sender,
        "body": sms.body,
        "status": sms.status,
        "direction": sms.direction,
        "num_segments": str(sms.segments),
        "num_media": "0",
        "messaging_service_sid": sms.service_sid or None,
        "error_code": sms.error_code,
        "error_message": None,
        "date_created": rfc2822(sms.created_at),
        "date_updated": rfc2822(sms.created_at),
        "date_sent": rfc2822(sms.created_at),
        "price": None,
        "price_unit": "USD",
        "uri": f"/{VERSION}/Accounts/{sms.account_sid}/Messages/{sms.sid}.json",
        "subresource_uris": {},
    }
