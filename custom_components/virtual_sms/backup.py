"""Let a backup find our files whole.

It copies the file of a number, and what was written beside it since, one after the other.
So nothing is brought from the one into the other meanwhile: all goes on beside.
"""

import asyncio
from collections.abc import Awaitable, Iterator
import logging

from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .home_file import async_get_home_file
from .runtime import VirtualSmsConfigEntry
from .store.database import CANNOT_WRITE
from .store.store import Store

_LOGGER = logging.getLogger(__name__)


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Leave the files as they are."""
    await _async_try(async_get_home_file(hass).async_hold())
    await asyncio.gather(*(_async_try(each.hold()) for each in _stores(hass)))


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on as before."""
    await _async_try(async_get_home_file(hass).async_release())
    await asyncio.gather(*(_async_try(each.release()) for each in _stores(hass)))


def _stores(hass: HomeAssistant) -> Iterator[Store]:
    entries: list[VirtualSmsConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    for entry in entries:
        yield entry.runtime_data.gateway.store


async def _async_try(doing: Awaitable[None]) -> None:
    """Let a file that fails keep neither the backup nor the others from it."""
    try:
        await doing
    except CANNOT_WRITE as err:
        _LOGGER.warning("A backup may hold a damaged file: %s", type(err).__name__)
