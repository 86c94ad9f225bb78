"""Register the made-up provider, as its line in `adapters/__init__` would."""

from typing import TYPE_CHECKING

from custom_components.virtual_sms.adapters import ADAPTERS
from simulator import state

from .adapter import MadeUpAdapter
from .simulated import MadeUp

if TYPE_CHECKING:
    import pytest

    from simulator.base import AnyProvider


def register(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add a line in the product and one in the simulator; return the provider's key."""
    providers: list[type[AnyProvider]] = [*state.PROVIDERS, MadeUp]
    monkeypatch.setitem(ADAPTERS, MadeUpAdapter.key, MadeUpAdapter)
    monkeypatch.setattr(state, "PROVIDERS", providers)
    return MadeUpAdapter.key
