"""What a start-up costs, as far as it can be counted; `scripts/bench` times the rest."""

from typing import TYPE_CHECKING

from .home import SENDER, send, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def test_a_start_up_asks_no_more_for_many_messages(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What a start-up asks does not grow with the messages that are known already."""
    empty = await _count_requests(hass, simulator, entry)
    for number in range(5):
        simulator.providers[provider].receive(SENDER, f"Hello {number}")
    await send(hass, entry, to=[f"+336{number:08}" for number in range(5)])
    await settle(hass, simulator)
    assert 0 < await _count_requests(hass, simulator, entry) <= empty


async def _count_requests(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> int:
    await settle(hass, simulator)
    before = len(simulator.requests)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass, simulator)
    return len(simulator.requests) - before
