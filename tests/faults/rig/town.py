"""The town that all faults befall: its secrets, its people, and the settings of a product that serves it."""

from __future__ import annotations

import base64
import os
import socket
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

import yaml

KEY = base64.urlsafe_b64encode(b"f" * 32).decode()
TELEGRAM_TOKEN, TELEGRAM_SECRET = "100009:faults", "faults-secret"
VIBER_TOKEN, TWILIO_TOKEN, ACCOUNT = "faults-viber", "faults-twilio", "AC" + "9" * 32
NUMBER = "+306900000000"
_CHANCE = SystemRandom()
PHONES = {"eleni": "+306900000001", "nikos": "+306900000002", "dora": "+306900000009"}
ROSTER: dict[str, Any] = {
    "people": {
        "eleni": {"name": "Eleni", "phone": PHONES["eleni"], "languages": ["el", "en"]},
        "nikos": {"name": "Nikos", "phone": PHONES["nikos"]},
        "dora": {"name": "Dora", "phone": PHONES["dora"], "role": "supervisor"},
    },
    "shifts": [{"days": "mon-sun", "from": "00:00", "to": "24:00", "order": ["eleni", "nikos"]}],
}


def policy(seconds: int = 60, repeat: int = 3, contact: str = "5m") -> dict[str, Any]:
    """The three usual steps of `seconds` each."""
    steps = [{"who": who, "by": ["voice", "sms"], "for": f"{seconds}s"} for who in ("first", "second")]
    steps.append({"who": "supervisor", "by": ["voice", "sms"], "for": f"{seconds}s"})
    return {"steps": steps, "repeat": repeat, "contact_within": contact}


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives away: a product that is started again
    after a while must find it free."""
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def settings(
    folder: Path, database_url: str, port: int, urls: dict[str, str], rules: dict[str, Any], **more: str
) -> dict[str, str]:
    """The environment of a product. `urls` are where it reaches telegram, viber and twilio; `more` replaces
    settings by their names without LIMANI_, in small letters."""
    roster_file, policy_file = folder / "roster.yaml", folder / "policy.yaml"
    roster_file.write_text(yaml.safe_dump(ROSTER))
    policy_file.write_text(yaml.safe_dump(rules))
    own = {name: value for name, value in os.environ.items() if not name.startswith("LIMANI_")}
    given = {
        "database_url": database_url,
        "public_url": f"http://127.0.0.1:{port}",
        "port": str(port),
        "secret_keys": KEY,
        "roster": str(roster_file),
        "policy": str(policy_file),
        "telegram_token": TELEGRAM_TOKEN,
        "telegram_secret": TELEGRAM_SECRET,
        "telegram_api_url": urls["telegram"],
        "telegram_rate": "1000",
        "telegram_chat_rate": "1000",
        "viber_token": VIBER_TOKEN,
        "viber_api_url": urls["viber"],
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TWILIO_TOKEN,
        "twilio_from": NUMBER,
        "twilio_api_url": urls["twilio"],
        "twilio_cps": "50",
        **more,
    }
    return own | {f"LIMANI_{name.upper()}": value for name, value in given.items()}
