"""The bench replaces the lowest requests of the product for good; a test gives them back."""

from __future__ import annotations

import pytest

from bot.channels.telegram_http import AioRequest
from bot.twilio_http import TwilioHttp


@pytest.fixture(autouse=True)
def requests_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test puts in their place is undone after it."""
    monkeypatch.setattr(AioRequest, "ask", AioRequest.ask)
    monkeypatch.setattr(TwilioHttp, "ask", TwilioHttp.ask)
