"""Tests about numbers at work get them as the config flow makes them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
import pytest

from tests.furnish import furnish
from tests.set_up import set_up

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

TIMES = {"created", "created_at", "entry_id", "modified_at", "updated"}


def picture(sim: Simulator, provider: str, entry: ConfigEntry) -> str:
    """Describe a number on both sides, but for what is new each time."""
    places = sim.twilio.numbers if provider == "twilio" else sim.ovh.services
    record = {key: asdict(each) for key, each in places.items()}
    text = repr([strip(entry.as_dict()), [strip(each) for each in record.values()]])
    assert entry.state is ConfigEntryState.LOADED
    return text.replace(entry.data["webhook_id"], "its own")


def strip(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out when it was made, and under which name."""
    return {key: each for key, each in sorted(record.items()) if key not in TIMES}


@pytest.mark.parametrize("mode", ["automatic", "manual", "polling"])
async def test_both_ways_lead_to_the_same(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str, mode: str
) -> None:
    """The entry, and where the provider calls."""
    made = await furnish(hass, simulator, provider, mode=mode, name="My line")
    expected = picture(simulator, provider, made)
    await hass.config_entries.async_remove(made.entry_id)
    simulator.reset()
    entry = await set_up(hass, simulator, provider, mode=mode, name="My line")
    assert picture(simulator, provider, entry) == expected
