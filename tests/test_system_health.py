"""The lines on Home Assistant's system page."""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.components import system_health
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.const import CONF_CREDENTIALS, DOMAIN

from .home import send, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the page shows of us, once all is known."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    lines: dict[str, Any] = await get_system_health_info(hass, DOMAIN)
    return {
        key: value if isinstance(value, int) else await value
        for key, value in lines.items()
    }


def point_to(hass: HomeAssistant, entry: ConfigEntry, api_url: str) -> None:
    """Give a number another address of its provider's API."""
    credentials = {**entry.data[CONF_CREDENTIALS], "api_url": api_url}
    data = {**entry.data, CONF_CREDENTIALS: credentials}
    hass.config_entries.async_update_entry(entry, data=data)


async def test_all_is_well(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Each provider in use is reached, and what is under way is counted."""
    await send(hass, twilio_entry, to="+15005552001")
    await settle(hass, simulator)
    assert await info(hass) == {
        "can_reach_ovh": "ok",
        "can_reach_twilio": "ok",
        "numbers": 2,
        "numbers_loaded": 2,
        "pending_messages": 1,
    }


async def test_provider_out_of_reach(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A number that does not run is counted, and its provider asked for."""
    await hass.config_entries.async_unload(entry.entry_id)
    point_to(hass, entry, "http://127.0.0.1:1")
    assert await info(hass) == {
        f"can_reach_{provider}": {"type": "failed", "error": "unreachable"},
        "numbers": 1,
        "numbers_loaded": 0,
        "pending_messages": 0,
    }


async def test_asks_the_provider_itself(
    hass: HomeAssistant, entry: ConfigEntry, provider: str
) -> None:
    """Without an address of a person's own, the provider's is taken."""
    point_to(hass, entry, "")
    with patch.object(
        system_health, "async_check_can_reach_url", return_value="ok"
    ) as check:
        await info(hass)
    check.assert_called_once_with(hass, ADAPTERS[provider].origin)
    assert ADAPTERS[provider].origin.startswith("https://")


async def test_nothing_set_up(hass: HomeAssistant) -> None:
    """The page does not ask those whom nobody uses."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert await info(hass) == {
        "numbers": 0,
        "numbers_loaded": 0,
        "pending_messages": 0,
    }
