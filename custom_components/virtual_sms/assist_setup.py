"""Have assistants answer from when a contact has one: most homes need none loaded."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.importlib import async_import_module

from .const import DOMAIN
from .people.contacts import SIGNAL_PEOPLE, async_directory


async def async_setup_assist(hass: HomeAssistant) -> None:
    """Load what answers now, or when the first contact is given an assistant."""
    if _is_wanted(hass):
        await _async_begin(hass)
        return

    @callback
    def follow() -> None:
        if _is_wanted(hass):
            stop()
            hass.async_create_task(_async_begin(hass), f"{DOMAIN} assist")

    stop = async_dispatcher_connect(hass, SIGNAL_PEOPLE, follow)


def _is_wanted(hass: HomeAssistant) -> bool:
    return any(each.assist for each in async_directory(hass).contacts)


async def _async_begin(hass: HomeAssistant) -> None:
    module = await async_import_module(hass, f"{__package__}.assist")
    module.AssistDesk(hass)
