"""People who are asked and alarmed, and a home that starts again meanwhile."""

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.home_file import HOME_FILE
from custom_components.virtual_sms.replies.alerts import ALERTS
from custom_components.virtual_sms.replies.answering import _DESKS
from custom_components.virtual_sms.replies.desks import async_setup_desks
from custom_components.virtual_sms.replies.questions import QUESTIONS

from .home import settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.core import HomeAssistant
    import pytest

    from simulator import Simulator

SET_UP: Final = "custom_components.virtual_sms.async_setup_entry"


async def hear(
    hass: HomeAssistant, simulator: Simulator, sender: str, text: str
) -> None:
    """Have somebody write, and let all that follows happen."""
    simulator.twilio.receive(sender, text)
    await settle(hass, simulator)


async def pass_time(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    seconds: float,
) -> None:
    """Let time go by, and what happens then."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await settle(hass, simulator)


def set_clock(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Set the home's wall clock so far off the true time, and nothing else."""

    def wall() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    monkeypatch.setattr(dt_util, "utcnow", wall)
    monkeypatch.setattr(hass.data[HOME_FILE].clock, "_wall", wall)


def texts(simulator: Simulator) -> list[tuple[str, str]]:
    """List who was sent what."""
    return [(each.to, each.text) for each in simulator.twilio.messages]


async def restart(
    hass: HomeAssistant, simulator: Simulator, *, seconds: float = 0, **more: Any
) -> None:
    """Stop the numbers and the home's own file, and start again on what is on disk.

    With `at_rest` no number can be set up then.
    """
    freezer: FrozenDateTimeFactory | None = more.get("freezer")
    entries = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state is not ConfigEntryState.NOT_LOADED:
            assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.data[HOME_FILE]._store.close()
    for desk in hass.data.pop(_DESKS):
        desk._timer.async_set(None)  # type: ignore[attr-defined]
    for key in (HOME_FILE, QUESTIONS, ALERTS):
        hass.data.pop(key)
    if freezer is not None:
        freezer.tick(timedelta(seconds=seconds))
    await asyncio.sleep(0)
    # All numbers have been set up when a home has started.
    at_rest = bool(more.get("at_rest"))
    with patch(SET_UP, side_effect=ConfigEntryNotReady) if at_rest else nullcontext():
        await _async_start(hass, at_rest=at_rest)
        await settle(hass, simulator)


async def wake(hass: HomeAssistant, simulator: Simulator) -> None:
    """Set up the numbers that were at rest."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass, simulator)


async def _async_start(hass: HomeAssistant, *, at_rest: bool) -> None:
    hass.set_state(CoreState.starting)
    await async_setup_desks(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        is_up = await hass.config_entries.async_setup(entry.entry_id)
        assert is_up is not at_rest
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
