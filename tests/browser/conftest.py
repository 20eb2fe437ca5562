"""A real Chromium on the real demo. Without a Chromium on the machine these tests are not collected."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from limani.demo.stage import Stage, free_port, open_stage

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_report_header() -> str:
    """Says which browser plays, or that none does."""
    return f"browser: {CHROMIUM or 'no Chromium on this machine, the browser tests are left out'}"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(free_port(0), tmp_path) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        await launched.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that fails its test when anything but our own origin is asked, or a script breaks."""
    context = await browser.new_context(locale="el-GR", viewport={"width": 1440, "height": 900})
    opened = await context.new_page()
    troubles: list[str] = []
    own = ("http://127.0.0.1:", "data:", "about:", "blob:")
    opened.on("request", lambda r: None if r.url.startswith(own) else troubles.append(f"foreign: {r.url}"))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    yield opened
    await context.close()
    assert troubles == []
