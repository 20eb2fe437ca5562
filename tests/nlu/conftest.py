"""One engine for the whole room: loading is measured elsewhere."""

from __future__ import annotations

import pytest

from nlu.engine import EmbeddedReader


@pytest.fixture(scope="session")
def reader() -> EmbeddedReader:
    return EmbeddedReader.load()
