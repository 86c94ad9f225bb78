"""Verbs about the database."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance


async def rest(hass: HomeAssistant, _: Any) -> None:
    """Wait until the database has taken in all that has happened."""
    await get_instance(hass).async_block_till_done()


VERBS = {"rest": rest}
