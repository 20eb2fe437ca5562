"""limani understand: one text a line in, one JSON object a line out, in order."""

from __future__ import annotations

import json
import sys

from limani.commands.told import Told


def run_understand(engine: str) -> None:
    """Reads stdin until it ends. Bytes that are no UTF-8 are replaced, never refused."""
    if engine not in ("embedded", "rasa", "both"):
        raise Told("--engine is embedded, rasa or both")
    if engine != "embedded":
        raise Told("this version reads with the embedded engine alone: there is no Rasa client yet")
    from nlu.engine import EmbeddedReader
    from nlu.understand import as_json

    reader = EmbeddedReader.load()
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").removesuffix("\n")
        print(json.dumps(as_json(reader.read(text), text), ensure_ascii=False), flush=True)
