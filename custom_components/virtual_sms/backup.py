"""Let a backup find our files whole.

It copies the file of a number, and what was written beside it since, one after the other.
So nothing is brought from the one into the other meanwhile: all goes on beside.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging

from homeassistant.core import HomeAssistant

from .storage import async_get_databases
from .store.database import CANNOT_WRITE, Database

_LOGGER = logging.getLogger(__name__)


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Leave the files as they are, and those that are opened meanwhile."""
    async_get_databases(hass).is_held = True
    await _async_try_all(hass, Database.hold)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on as before."""
    async_get_databases(hass).is_held = False
    await _async_try_all(hass, Database.release)


async def _async_try_all(
    hass: HomeAssistant, act: Callable[[Database], Awaitable[None]]
) -> None:
    databases = [*async_get_databases(hass).all]
    await asyncio.gather(*(_async_try(act(each)) for each in databases))


async def _async_try(doing: Awaitable[None]) -> None:
    """Let a file that fails keep neither the backup nor the others from it."""
    try:
        await doing
    except CANNOT_WRITE as err:
        _LOGGER.warning("A backup may hold a damaged file: %s", type(err).__name__)
