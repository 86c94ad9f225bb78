"""Register the made-up provider, as `adapters/__init__` would, for these tests."""

from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from simulator import state

from .adapter import MadeUpAdapter
from .simulated import MadeUp

if TYPE_CHECKING:
    from simulator.base import AnyProvider


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the provider: a line in the product, and one in the simulator."""
    providers: list[type[AnyProvider]] = [*state.PROVIDERS, MadeUp]
    monkeypatch.setitem(ADAPTERS, MadeUpAdapter.key, MadeUpAdapter)
    monkeypatch.setattr(state, "PROVIDERS", providers)
    return MadeUpAdapter.key
