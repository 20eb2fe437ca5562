"""What a failed Bot API request means for the message that it carried.

Sorted by status and body, not by PTB's exceptions: there a 400 and a time-out are both NetworkErrors, and
the text of an exception may hold the address with the token.
"""

from __future__ import annotations

from typing import Any

from bot.channels.base import Blocked, Misconfigured, Moved, Rejected, Retry, SendError, Unknown
from bot.channels.shape import Odd, dig, number, parsed, text

# Some refusals for good come as 400, in the raw words of the inner server.
_GONE = (
    "chat not found",
    "user not found",
    "user is deactivated",
    "bot was blocked",
    "bot can't initiate conversation",
    "peer_id_invalid",
    "input_user_deactivated",
    "user_is_blocked",
    "user_deactivated",
)


def sorted_failure(status: int, body: bytes, retry_after: str | None = None) -> SendError:
    """The SendError for an answer that is no success."""
    document = _document(body)
    words = text(dig(document, "description")).lower()
    moved = number(dig(document, "parameters", "migrate_to_chat_id"))
    match status:
        case 429:
            after = number(dig(document, "parameters", "retry_after"))
            pause = after if after is not None else number(retry_after)
            return Retry("too many requests", float(pause) if pause is not None else None)
        case 400 if moved is not None:
            return Moved(str(moved))
        case 400 if any(sign in words for sign in _GONE):
            return Blocked("chat is gone")
        case 400 | 413:
            return Rejected("bad request")
        case 401 | 404:
            return Misconfigured("token refused")
        case 403:
            return Blocked("forbidden")
        case 409:
            return Retry("conflict")
    return Unknown(f"status {status}")


def _document(body: bytes) -> dict[str, Any]:
    try:
        return parsed(body)
    except Odd:
        return {}
