"""Run the suite of this folder with the made-up provider."""

import pytest

from .registration import register


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the made-up provider, which is registered for one test."""
    return register(monkeypatch)
