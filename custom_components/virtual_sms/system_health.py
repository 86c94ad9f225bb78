"""Show on Home Assistant's system page whether messages can come and go."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .adapters import ADAPTERS
from .const import DOMAIN
from .entry_data import EntryData
from .flows.credential_form import CONF_API_URL
from .runtime import VirtualSmsConfigEntry


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Give that page what it shows of us."""
    register.async_register_info(_async_get_info)


async def _async_get_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is shown; a provider that no number is from is left out."""
    entries: list[VirtualSmsConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    gateways = [
        entry.runtime_data.gateway
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
    ]
    reachable = {
        f"can_reach_{key}": system_health.async_check_can_reach_url(hass, url)
        for key, url in _find_apis(entries).items()
    }
    return reachable | {
        "numbers": len(entries),
        "numbers_loaded": len(gateways),
        "pending_messages": sum(each.store.tally.pending for each in gateways),
    }


def _find_apis(entries: list[VirtualSmsConfigEntry]) -> dict[str, str]:
    """Return where the API of each provider in use is."""
    return {
        data.provider: data.credentials.get(CONF_API_URL)
        or ADAPTERS[data.provider].origin
        for data in map(EntryData.of, entries)
    }
