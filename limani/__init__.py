"""The harbour master: wiring, command line, demo. Imports every room; no room imports it."""

import sys

# structlog loads rich wherever it is installed, for coloured tracebacks that a server never prints; that
# would cost every start a fifth of a second. Who really wants rich (the command line's help) still gets it.
_RICH = "rich"
if _RICH not in sys.modules:
    sys.modules[_RICH] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules[_RICH]
