"""How fast each channel may be spoken to: shared through Redis where there is one, else by this process."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channels.base import Channel
from bot.channels.web.history import NAME as WEB
from bot.pace import Pace, Waited
from bot.shared_pace import SharedPace
from store.figures import Figures


def make_paces(
    channels: Mapping[str, Channel], redis_url: str | None, figures: Figures
) -> dict[str, Pace | SharedPace]:
    """One for each channel. The web chat has no provider whose limit could be broken."""
    return {name: _pace(channel, redis_url, figures) for name, channel in channels.items()}


def _pace(channel: Channel, redis_url: str | None, figures: Figures) -> Pace | SharedPace:
    limits, waited = channel.limits, _told(figures, channel.name)
    if redis_url is None or channel.name == WEB:
        return Pace(limits.rate, limits.chat_rate, waited=waited)
    return SharedPace(channel.name, redis_url, limits.rate, limits.chat_rate, figures, waited=waited)


def _told(figures: Figures, name: str) -> Waited:
    def waited(seconds: float, urgent: bool) -> None:
        figures.span(seconds, "pace_seconds", name, "urgent" if urgent else "ordinary")

    return waited
