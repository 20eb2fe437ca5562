"""A reading as the outside sees it: the JSON object of `limani understand`."""

from __future__ import annotations

from nlu.reading import Reading


def as_json(reading: Reading, text: str) -> dict[str, object]:
    """Exactly the keys of `limani understand`; `text` is echoed as it came."""
    return {
        "text": text,
        "language": reading.language,
        "script": reading.script,
        "intent": reading.intent,
        "confidence": round(reading.confidence, 4),
        "risk": reading.risk.value,
        "risk_kind": None if reading.risk_kind is None else reading.risk_kind.value,
        "why": list(reading.why),
    }
