"""The chat's HTML: a shell that says whose it is; the conversation comes by the stream."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.web.assets import Assets
from bot.channels.web.words import WORDS

if TYPE_CHECKING:
    from jinja2 import Environment

_ON_THE_PAGE = (
    *("typing", "you", "bot", "human", "sending", "waiting", "call", "placed", "edited", "answers"),
    *("person", "place", "place_failed", "offline", "cookies"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """Whose chat it is. `lines`: numbers that become links wherever the bot writes them. `exit_url`: the
    harmless page that the quick exit opens; nothing is asked of it before the click."""

    municipality: dict[str, str] = field(default_factory=lambda: {"el": "Δήμος", "en": "Municipality"})
    bot_name: str = "Limani"
    lines: tuple[str, ...] = ("112", "166", "100", "199", "1018", "10306", "15900", "1056", "116111", "197")
    exit_url: str = "https://www.emy.gr/"


class ChatPage:
    """Renders the shell, once per language."""

    def __init__(self, assets: Assets, town: Town) -> None:
        self._assets = assets
        self._town = town

    @cached_property
    def _pages(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not needed to start

        folder = FileSystemLoader(Path(__file__).parent / "templates")
        return Environment(loader=folder, autoescape=True, undefined=StrictUndefined)

    def html(self, language: str, at_once: bool = False) -> str:
        """The page. `at_once`: greet without waiting for the first touch."""
        words = WORDS[language]
        said = {name: words[name] for name in _ON_THE_PAGE}
        return self._pages.get_template("chat.html").render(
            language=language,
            other="en" if language == "el" else "el",
            words=words,
            said=json.dumps(said, ensure_ascii=False),
            town=self._town,
            municipality=self._town.municipality.get(language)
            or next(iter(self._town.municipality.values())),
            lines=json.dumps(self._town.lines),
            at_once=at_once,
            url=self._assets.url,
            noscript_lines=("112", "166", "1018", "10306", "15900"),
        )
