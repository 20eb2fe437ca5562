"""Reads what a Calls request orders, and refuses what Twilio refuses."""

from __future__ import annotations

from sandbox.asked import Asked
from sandbox.twilio_resources import TWIML_LIMIT, Refusal, check_address
from sandbox.twilio_words import EVENTS, Order

__all__ = ["Order", "order_of"]
METHODS = {"GET", "POST"}
DETECTION = {"", "Enable", "DetectMessageEnd"}
LONGEST_RING = 600


def order_of(asked: Asked) -> Order:
    """The order of one request; raises Refusal with Twilio's code for what is wrong in it."""
    url, twiml = asked.text("Url"), asked.text("Twiml")
    _check_script(url, twiml)
    for name, code in (("StatusCallback", 21609), ("FallbackUrl", 21205), ("AsyncAmdStatusCallback", 21609)):
        if asked.text(name):
            check_address(asked.text(name), code, name)
    if asked.text("MachineDetection") not in DETECTION:
        raise Refusal(400, 21256, "MachineDetection must be Enable or DetectMessageEnd")
    beside = asked.text("AsyncAmd").lower() == "true"
    return Order(
        url=url,
        method=_method(asked, "Method"),
        twiml=twiml,
        fallback_url=asked.text("FallbackUrl"),
        status_url=asked.text("StatusCallback"),
        status_method=_method(asked, "StatusCallbackMethod"),
        events=_events(asked),
        ring_seconds=_ring(asked.text("Timeout")),
        machine_detection=asked.text("MachineDetection"),
        async_amd_url=asked.text("AsyncAmdStatusCallback") if beside else "",
    )


def _check_script(url: str, twiml: str) -> None:
    if not url and not twiml:
        raise Refusal(400, 21205, "Url parameter is required.")
    if url:
        check_address(url, 21205, "Url")
    if len(twiml) > TWIML_LIMIT:
        raise Refusal(400, 21274, "Twiml must not be longer than 4000 characters")


def _method(asked: Asked, name: str) -> str:
    method = asked.text(name).upper() or "POST"
    if method not in METHODS:
        raise Refusal(400, 21403, f"{name} must be GET or POST")
    return method


def _events(asked: Asked) -> tuple[str, ...]:
    wanted = asked.params.get("StatusCallbackEvent", [])
    events = tuple(wanted if isinstance(wanted, list) else [wanted])
    if any(event not in EVENTS for event in events):
        raise Refusal(400, 21626, "StatusCallbackEvent is invalid")
    return events or ("completed",)


def _ring(timeout: str) -> float:
    if timeout and not timeout.isdigit():
        raise Refusal(400, 21207, "Timeout must be a number of seconds")
    return float(min(int(timeout or 60), LONGEST_RING))
