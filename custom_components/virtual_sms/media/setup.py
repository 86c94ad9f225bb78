"""Set up the pictures, which are of the home as a whole."""

from contextlib import suppress

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .attachment_view import async_setup_attachment_view
from .incoming import async_erase_media
from .shelf import async_get_shelf
from .view import async_setup_view


async def async_setup_media(hass: HomeAssistant) -> None:
    """Take up what an earlier run was serving, and open the door."""
    # What goes wrong is logged; a home without its pictures still sends and receives.
    with suppress(HomeAssistantError):
        await async_get_shelf(hass).async_load()
    async_setup_view(hass)
    async_setup_attachment_view(hass)


async def async_forget_media(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what a number that is removed has sent, and what came in."""
    await async_get_shelf(hass).async_forget(entry_id)
    await async_erase_media(hass, entry_id)
