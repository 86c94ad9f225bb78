"""Wake the outbox when a message is due."""

from datetime import datetime, timedelta
import logging

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .outbox import Outbox
from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_AFTER_TROUBLE = timedelta(minutes=1)


class Worker:
    """A timer that always stands at the next message due."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Belong to an entry: the timer ends with it."""
        self._hass = hass
        self._entry = entry
        self._outbox: Outbox | None = None
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def async_start(self, outbox: Outbox) -> None:
        """Begin with what an earlier run left."""
        self._outbox = outbox
        self._entry.async_on_unload(self._async_stop)
        self.async_wake()

    @callback
    def async_wake(self, now: datetime | None = None) -> None:
        """Do what is due, and set the timer anew."""
        self._entry.async_create_background_task(
            self._hass, self._async_work(), "virtual_sms outbox"
        )

    async def _async_work(self) -> None:
        if self._outbox is None:
            return
        try:
            next_at = await self._outbox.work()
        except Exception:
            _LOGGER.exception("Queued messages could not be worked on")
            next_at = dt_util.utcnow() + _AFTER_TROUBLE
        self._async_stop()
        if next_at is not None:
            self._cancel = async_track_point_in_utc_time(
                self._hass, self.async_wake, next_at
            )

    @callback
    def _async_stop(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
