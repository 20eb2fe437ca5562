"""The command line's door. Bad input gets one clear sentence on stderr and exit code 2.

A server that starts again must not wait for what it never uses: `limani serve` goes past the command line's
toolkit, every other command through it (limani.commands.app).
"""

from __future__ import annotations

import gc
import sys

from limani.commands.told import Told


def main() -> None:
    """Entry of the `limani` command."""
    words = sys.argv[1:]
    try:
        _check_text(words)
        role = _role(words)
        if role is None:
            from limani.commands.app import run

            run()
        else:
            _serve(role)
    except Told as told:
        print(told, file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _serve(role: str) -> None:
    """Loading makes a hundred thousand objects that stay: looking through them for garbage again and again
    costs a tenth of the start, and limani.serve turns the collector on when it serves. `rich` would be loaded
    by structlog just because it is there, for pictures of exceptions that our logs never show."""
    gc.disable()
    sys.modules["rich"] = None  # type: ignore[assignment]
    from limani.serve import run_serve

    run_serve(role)


def _role(words: list[str]) -> str | None:
    """The role of a plain `serve [--role ROLE]`; None for every other command line."""
    match words:
        case ["serve"]:
            return "all"
        case ["serve", "--role", role]:
            return role
        case ["serve", word] if word.startswith("--role="):
            return word.removeprefix("--role=")
    return None


def _check_text(words: list[str]) -> None:
    """Bytes that are no UTF-8 would break in some far corner, with a trace instead of a sentence."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise Told("the command line holds bytes that are no UTF-8 text") from None
