"""An inbox row as the engine understands it: a tapped button found again, a place made a pair."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.inbox import Taken
from bot.outbox import Outbox
from flows.session import Stimulus
from nlu.reading import Reading


def as_stimulus(tx: Connection, outbox: Outbox, taken: Taken, reading: Reading | None) -> Stimulus:
    """A button's token counts only if it was shown to this very citizen; else the tap has no meaning."""
    body = taken.body
    token = body.get("button")
    button = outbox.button(tx, taken.citizen_id, token) if token else None
    return Stimulus(
        kind=taken.kind,
        text=button.label if button else body.get("text", ""),
        understood=reading,
        button=button.value if button else None,
        by=body.get("by"),
        ref=body.get("ref"),
        token=body.get("token"),
        place=tuple(body["place"]) if body.get("place") else None,
        file_kind=body.get("file_kind"),
    )
