"""Find the number of a line that is at work."""

import asyncio
from contextlib import suppress
import sqlite3
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .adapters.errors import SmsError
from .const import DOMAIN
from .core.gateway import Gateway
from .runtime import VirtualSmsConfigEntry
from .store.changes import StatusChanged
from .store.database import DatabaseClosedError

_LONGEST_WAIT: Final = 10.0
"""Seconds that alarms and questions wait for what a provider has for them."""


@callback
def async_find_loaded(
    hass: HomeAssistant, entry_id: str
) -> VirtualSmsConfigEntry | None:
    """Return a number that is at work; None if it is not loaded, gone, or none of ours."""
    entry: VirtualSmsConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        return None
    return entry if entry.state is ConfigEntryState.LOADED else None


@callback
def async_find_gateway(hass: HomeAssistant, line: str) -> Gateway | None:
    """Return the gateway of an entry; None if it is not loaded, or gone."""
    entry = async_find_loaded(hass, line)
    return entry.runtime_data.gateway if entry else None


async def async_look_up(
    hass: HomeAssistant, line: str, message_id: str
) -> StatusChanged | None:
    """Return where a message stands; None if its line does not know, or is at rest."""
    gateway = async_find_gateway(hass, line)
    if gateway is None:
        return None
    try:
        return await gateway.store.outbound.find(message_id)
    except DatabaseClosedError, sqlite3.Error:
        return None


async def async_look_again(
    hass: HomeAssistant, line: str, message_id: str
) -> StatusChanged | None:
    """Return where a message stands as its provider knows it, if that can be asked."""
    state = await async_look_up(hass, line, message_id)
    gateway = async_find_gateway(hass, line)
    if gateway is None or state is None or state.provider_id is None:
        return state
    with suppress(SmsError, DatabaseClosedError, sqlite3.Error):
        await gateway.inbox.ask_for_receipt(state.provider_id)
    return await async_look_up(hass, line, message_id)


@callback
def async_is_resting(hass: HomeAssistant, line: str) -> bool:
    """Say whether an entry is not at work now, but may be before long."""
    entry = hass.config_entries.async_get_entry(line)
    if entry is None or entry.disabled_by is not None:
        return False
    return async_find_gateway(hass, line) is None


async def async_withdraw(hass: HomeAssistant, line: str, message_id: str) -> None:
    """See to it that a line does not send what it has not sent yet, nor lets it ring."""
    gateway = async_find_gateway(hass, line)
    if gateway is None:
        return
    try:
        await gateway.outbox.withdraw(message_id)
        await gateway.calls.withdraw(message_id)
    except DatabaseClosedError, sqlite3.Error:
        return


async def async_wait_until_read(hass: HomeAssistant) -> None:
    """Wait until the numbers at work know what came in while the home was away.

    Not for long, nor for a number at rest: an alarm goes on without its provider too.
    """
    entries: list[VirtualSmsConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    # One that is unloaded meanwhile has none any more.
    at_work = [each.runtime_data for each in entries]
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_WAIT):
            for runtime in at_work:
                await runtime.coordinator.has_read.wait()
                await runtime.gateway.wait_until_published()
