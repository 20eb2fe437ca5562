"""A running product for each test, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.outside.product import Product


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    """The product on SQLite with the usual roster and policy."""
    async with Product(tmp_path, f"sqlite:///{tmp_path / 'limani.db'}") as running:
        yield running


@pytest.fixture
async def product_on_both(tmp_path: Path, database_url: str) -> AsyncIterator[Product]:
    """The product on SQLite, and again on PostgreSQL."""
    async with Product(tmp_path, database_url) as running:
        yield running
