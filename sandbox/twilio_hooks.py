"""Twilio's requests to the product: signed over the public address, repeated only as the address asks.

`#rc=2&rp=5xx` at the end of an address orders two repeats after server errors; the fragment is neither sent
nor signed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from urllib.parse import parse_qs, urldefrag, urlencode

from sandbox.standin import Answer, StandIn
from sandbox.twilio_sign import signature

READ_LIMIT = 15.0  # seconds Twilio waits for an answer
DEFAULT_REPEATS = 1  # and only when no connection came about


async def ask(
    stand_in: StandIn, auth_token: str, url: str, params: Mapping[str, str], method: str = "POST"
) -> Answer:
    """One webhook request with its repeats; the last answer."""
    address, fragment = urldefrag(url)
    wishes = {name: values[-1] for name, values in parse_qs(fragment).items()}
    token = str(uuid.uuid4())
    if method == "GET":
        address += ("&" if "?" in address else "?") + urlencode(params)
    for _ in range(_count(wishes) + 1):
        answer = await _once(stand_in, auth_token, address, {} if method == "GET" else params, method, token)
        if not _again(answer, wishes.get("rp", "ct")):
            break
    return answer


async def _once(
    stand_in: StandIn, auth_token: str, address: str, params: Mapping[str, str], method: str, token: str
) -> Answer:
    headers = {
        "X-Twilio-Signature": signature(auth_token, address, params),
        "I-Twilio-Idempotency-Token": token,
        "User-Agent": "TwilioProxy/1.1",
        "Accept": "*/*",
    }
    if method == "GET":
        return await stand_in.send(address, b"", headers, "GET", READ_LIMIT)
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    return await stand_in.send(address, urlencode(params).encode(), headers, "POST", READ_LIMIT)


def _count(wishes: Mapping[str, str]) -> int:
    value = wishes.get("rc", "")
    return min(int(value), 5) if value.isdigit() else DEFAULT_REPEATS


def _again(answer: Answer, policy: str) -> bool:
    policies = set(policy.split(","))
    if answer.status == 0:
        return bool(policies & {"ct", "rt", "all"})
    if answer.status >= 500:
        return bool(policies & {"5xx", "all"})
    return answer.status >= 400 and bool(policies & {"4xx", "all"})
