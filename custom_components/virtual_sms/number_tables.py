"""Have the tables of countries loaded by which numbers are read, never in the event loop."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant

from .const import CONF_NUMBER, DOMAIN
from .core.phone_numbers import is_read, read_ahead
from .people.contacts import async_directory


async def async_load_own_tables(hass: HomeAssistant) -> None:
    """Load those of the home, its numbers and its people: what an alarm takes."""
    lines = [
        each.data[CONF_NUMBER] for each in hass.config_entries.async_entries(DOMAIN)
    ]
    people = [
        number for each in async_directory(hass).contacts for number in each.numbers
    ]
    country = hass.config.country
    await hass.async_add_executor_job(read_ahead, [*lines, *people], country)


async def async_load_tables(hass: HomeAssistant, values: Iterable[object]) -> None:
    """Load those by which some values are read, unless they are loaded already."""
    country = hass.config.country
    unread = [each for each in values if not is_read(each, country)]
    if unread:
        await hass.async_add_executor_job(read_ahead, unread, country)
