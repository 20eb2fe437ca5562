"""The design base: vendored files unchanged, colours readable, nothing fetched from elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.web.assets import STATIC, design_base

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    path
    for folder in (ROOT / "bot/channels/web", ROOT / "limani/demo", ROOT / "console")
    for path in folder.rglob("*")
    if path.suffix in {".css", ".js", ".html", ".j2", ".svg"} and "vendor" not in path.parts
]
PAIRS = [
    ("ink", "ground"),
    ("ink", "paper"),
    ("ink", "raised"),
    ("ink-soft", "ground"),
    ("ink-soft", "paper"),
    ("brand-ink", "brand"),
    ("accent", "paper"),
    ("accent", "ground"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent-strong", "accent-wash"),
    ("ink", "accent-wash"),
    ("danger", "paper"),
    ("danger", "danger-wash"),
    ("danger-ink", "danger"),
    ("ink", "danger-wash"),
    ("ask", "ask-wash"),
    ("ask", "paper"),
    ("good", "good-wash"),
    ("ink", "good-wash"),
    ("focus-ink", "focus"),
]


def _themes() -> dict[str, dict[str, str]]:
    text = (STATIC / "tokens.css").read_text()
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", part)) for part in (light, dark)]
    return {"light": found[0], "dark": found[0] | found[1]}


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_vendored_files_are_those_of_their_packages() -> None:
    lines = (STATIC / "vendor/checksums.sha256").read_text().splitlines()
    named = {name: mark for mark, name in (line.split() for line in lines)}
    present = {"icons.svg"} | {
        f"vendor/{path.name}"
        for path in (STATIC / "vendor").iterdir()
        if path.suffix not in {".md", ".sha256"}
    }
    assert set(named) == present
    for name, mark in named.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == mark, name


def test_colours_marked_govgr_are_the_themes_own() -> None:
    theme = (STATIC / "vendor/digigov-theme-govgr-2.5.0.css").read_text()
    light, dark = theme.split(":root.dark", 1)
    marked = re.findall(r": (#[0-9a-f]+);\s+/\* govgr (dark )?([\w-]+)", (STATIC / "tokens.css").read_text())
    assert len(marked) > 20
    for colour, is_dark, name in marked:
        part = dark if is_dark else light
        assert f"--color-{name}:{colour};" in part, (name, colour)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_text_and_ground_can_be_read(theme: str) -> None:
    colours = _themes()[theme]
    for ink, ground in PAIRS:
        high, low = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, ink, ground)


def test_the_stylesheet_stays_small() -> None:
    assert (STATIC / "base.css").stat().st_size < 30_000


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_names_a_foreign_origin(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/", "")
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text)


def test_every_icon_that_a_page_uses_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    for path in PAGES:
        used = set(re.findall(r"icons\.svg[^#\"']*#([a-z][\w-]*)", path.read_text()))
        assert used <= known, (path, used - known)


async def test_files_are_served_with_their_mark_and_kept_by_it() -> None:
    assets = design_base()
    app = web.Application()
    app.add_routes(assets.routes())
    async with TestClient(TestServer(app)) as client:
        kept = await client.get(assets.url("base.css"))
        asked = await client.get("/static/base.css", headers={"If-None-Match": kept.headers["ETag"]})
        assert (await client.get("/static/../channel.py")).status == 404
    assert kept.content_type == "text/css"
    assert "immutable" in kept.headers["Cache-Control"]
    assert asked.status == 304
    assert asked.headers["Cache-Control"] == "no-cache"
