"""Wake what works on messages or calls when one of them is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .runtime import VirtualSmsConfigEntry
from .store.database import DatabaseClosedError

_LOGGER = logging.getLogger(__name__)

_AFTER_TROUBLE = timedelta(minutes=1)
_LONGEST_SLEEP = timedelta(minutes=5)


class Worker(Protocol):
    """What works on what is due: an outbox, or the calls of a line."""

    async def work(self) -> timedelta | None:
        """Do what is due, and return after what pause something will be due again."""


class OutboxTimer:
    """A timer that always stands at the next message or call due."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Belong to an entry: the timer ends with it."""
        self._hass = hass
        self._entry = entry
        self._outbox: Worker | None = None
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def async_start(self, outbox: Worker) -> None:
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
            pause = await self._outbox.work()
        except DatabaseClosedError:
            # The number is being unloaded; what waits goes on when it is loaded again.
            return
        except Exception:
            _LOGGER.exception("Queued messages could not be worked on")
            pause = _AFTER_TROUBLE
        self._async_stop()
        if pause is not None:
            # Counted in seconds: a wall clock that steps must not move it.
            job = HassJob(self.async_wake, cancel_on_shutdown=True)
            self._cancel = async_call_later(self._hass, min(pause, _LONGEST_SLEEP), job)

    @callback
    def _async_stop(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of a number."""

    messages: OutboxTimer
    calls: OutboxTimer
