"""Set up the pictures, which are of the home as a whole."""

from contextlib import suppress

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .shelf import async_get_shelf
from .view import async_setup_view


async def async_setup_pictures(hass: HomeAssistant) -> None:
    """Take up what an earlier run was serving, and open the door."""
    # What goes wrong is logged; a home without its pictures still sends and receives.
    with suppress(HomeAssistantError):
        await async_get_shelf(hass).async_load()
    async_setup_view(hass)


async def async_forget_pictures(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the pictures of a number that is removed."""
    await async_get_shelf(hass).async_forget(entry_id)
