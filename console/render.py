"""Templates with everything escaped, and the small helpers that they share: words, times, icons."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
STATIC = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "limani.svg": "image/svg+xml",
}
RISK_ICONS = {"red": "siren", "amber": "triangle-alert", "none": "circle-dot"}
RISK_KINDS = {"red": "danger", "amber": "ask", "none": ""}
TOPIC_ICONS = {
    "food_aid": "utensils",
    "water_tariff": "droplets",
    "homelessness": "house",
    "housing": "house",
    "extreme_weather": "snowflake",
    "psych_support": "brain",
    "violence": "shield",
    "human": "user",
    "documents": "file-text",
}
CHANNEL_ICONS = {"web": "message-square", "sms": "message-square", "voice": "phone"}
STATUS_ICONS = {"open": "inbox", "assigned": "user-check", "waiting": "clock", "closed": "check"}
ATTEMPT_ICONS = {
    "ringing": "phone-call",
    "acknowledged": "check",
    "declined": "x",
    "unanswered": "phone-missed",
    "busy": "phone-off",
    "failed": "circle-alert",
    "machine": "voicemail",
    "cancelled": "circle-x",
    "unknown": "circle-help",
}


@cache
def static_file(name: str) -> tuple[bytes, str]:
    """A file of ours and the mark of its content, by which browsers may keep it for ever."""
    body = (_HERE / "static" / name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:12]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not needed to start

    environment = Environment(
        loader=FileSystemLoader(_HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        icon=icon,
        asset=lambda name: f"/console/static/{name}?v={static_file(name)[1]}",
        risk_icons=RISK_ICONS,
        risk_kinds=RISK_KINDS,
        topic_icons=TOPIC_ICONS,
        channel_icons=CHANNEL_ICONS,
        status_icons=STATUS_ICONS,
        attempt_icons=ATTEMPT_ICONS,
    )
    return environment


def icon(name: str) -> Markup:
    """A drawing of the shared sprite; the word beside it says the same."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#{}"/></svg>').format(
        name
    )


def render(template: str, **context: Any) -> str:
    """One page as text. Raises when a template names something that it was not given."""
    return _environment().get_template(template).render(**context)
