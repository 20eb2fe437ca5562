"""Fixtures of the flows tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.model import Library
from tests.flows.small import Talk, small


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The small library."""
    return small(Path(tmp_path_factory.mktemp("library")))


@pytest.fixture
def talk(library: Library) -> Talk:
    """A new citizen who writes English."""
    return Talk(library)
