"""Ask for the balance soon after a message was sent: a person looks at it then."""

from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN
from ..runtime import VirtualSmsConfigEntry

DELAY: Final = 30.0
"""Seconds that a provider may take to count a message; one question serves a burst."""


class BalanceTimer:
    """A timer for one question about the balance of a number's account."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Belong to an entry: the timer ends with it."""
        self._hass = hass
        self._entry = entry
        self._coordinator = entry.runtime_data.coordinator
        self._cancel: CALLBACK_TYPE | None = None
        entry.async_on_unload(self._async_stop)

    @callback
    def async_start(self) -> None:
        """Ask before long, unless that is about to happen."""
        if self._cancel is None:
            job = HassJob(self._async_ask, cancel_on_shutdown=True)
            self._cancel = async_call_later(self._hass, DELAY, job)

    @callback
    def _async_ask(self, _: datetime) -> None:
        self._cancel = None
        self._entry.async_create_background_task(
            self._hass, self._coordinator.async_refresh_balance(), f"{DOMAIN} balance"
        )

    @callback
    def _async_stop(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
