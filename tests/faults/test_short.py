"""A little of the rig with every run of the tests: sampled crash points, some kills, the matrix's core.

The whole of it is `make faults` (docs/faults.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults import crash, flood, providers
from tests.faults.rig.home import Home


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    """A house to start products in."""
    async with Home() as opened:
        yield opened


async def test_killed_at_sampled_points_of_the_story(
    home: Home, tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash, "BASELINES", 1)
    kills, verdict = await crash.every_point(home, tmp_path, sqlite_template, seed=7, most=6, pairs=1)
    assert verdict.good, verdict
    assert kills >= 5


async def test_killed_five_times_under_flood(home: Home, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'limani.db'}"
    verdict = await flood.random_kills(home, tmp_path, url, seed=7, kills=5, messages=300)
    assert verdict.good, verdict
    assert verdict.messages == 300


async def test_the_core_of_the_provider_matrix(home: Home, tmp_path: Path) -> None:
    texts, pages = await providers.provider_matrix(home, tmp_path, seed=7, core=True)
    assert texts.verdict.good, texts.verdict
    assert pages.verdict.good, pages.verdict
    assert texts.injected >= 15
    assert pages.injected >= 10
