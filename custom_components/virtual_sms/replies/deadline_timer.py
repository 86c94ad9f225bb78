"""Wake somebody when a stored time has come."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..store.clock import SteadyClock

_LONGEST_SLEEP: Final = timedelta(minutes=1)
"""A wall clock that steps must be noticed before a crash forgets it."""


class DeadlineTimer:
    """A timer that stands at the next of some times, by the clock of a store."""

    def __init__(
        self, hass: HomeAssistant, clock: SteadyClock, wake: Callable[[], None]
    ) -> None:
        """Take whom to wake; they set it anew."""
        self._hass = hass
        self._clock = clock
        self._wake = wake
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def async_set(self, at: datetime | None) -> None:
        """Wake at that time, and no more at the one that was set before."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        if at is not None:
            # Counted in seconds: a wall clock that steps must not move it.
            pause = max(at - self._clock.now(), timedelta())
            job = HassJob(self._async_wake, cancel_on_shutdown=True)
            self._cancel = async_call_later(self._hass, min(pause, _LONGEST_SLEEP), job)

    @callback
    def _async_wake(self, _: datetime) -> None:
        self._cancel = None
        self._wake()
