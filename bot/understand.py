"""Reading before the turn: outside any transaction, and never a reason not to take the turn.

If the engine fails, the reading is amber: doubt raises risk, it never lowers it.
"""

from __future__ import annotations

import structlog

from flows.session import StimulusKind
from nlu.reading import NOT_READ, Reader, Reading

log = structlog.get_logger()
_READ = {StimulusKind.said, StimulusKind.edited, StimulusKind.filed}


def understand(reader: Reader, kind: StimulusKind, text: str) -> Reading | None:
    """The reading of a citizen's words, None where there are none."""
    if kind not in _READ or not text:
        return None
    try:
        return reader.read(text)
    except Exception as error:  # whatever it is: the citizen must not wait for our bug
        log.error("reader_failed", error=type(error).__name__)
        return NOT_READ
