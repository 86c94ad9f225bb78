"""Measure from inside a Home Assistant what cannot be seen from outside.

`POST /api/probe/<verb>` with JSON does what the verb's docstring says and answers
JSON. It is open to anyone, so it belongs in a home that only this machine reaches.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import mmap
import os
from pathlib import Path
import time
from typing import Final

from aiohttp import web
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView

from . import entries, sends, webhooks
from .stopwatch import Stopwatch

_COUNTED: Final = ("virtual_sms_received", "virtual_sms_status", "twilio_data_received")

type Verb = Callable[..., Awaitable[object]]


class Probe(HomeAssistantView):
    """The door to the verbs, and whoever counts events and watches the loop."""

    url = "/api/probe/{verb}"
    name = "api:probe"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to count."""
        self._hass = hass
        self._stopwatch = Stopwatch()
        with Path(os.environ["BENCH_DISK"]).open("r+b") as file:
            self._disk = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self._last: dict[str, float] = {"count": 0, "at": 0.0, "flushes": 0}
        self._wanted, self._reached = 0, asyncio.Event()
        for event_type in _COUNTED:
            hass.bus.async_listen(event_type, self._async_count)
        own: list[Verb] = [self.wait, self.watch, self.watched]
        verbs = (*own, *entries.VERBS, *sends.VERBS, *webhooks.VERBS)
        self._verbs: dict[str, Verb] = {each.__name__: each for each in verbs}

    async def post(self, request: web.Request, verb: str) -> web.Response:
        """Do what a verb says."""
        return self.json(await self._verbs[verb](self._hass, **await request.json()))

    async def wait(
        self, _: HomeAssistant, wanted: int = 0, seconds: float = 0.0
    ) -> dict[str, float]:
        """Say as which event the last one was fired, when, and after how many flushes.

        That waits until there were as many events as are wanted.
        """
        self._wanted, self._reached = wanted, asyncio.Event()
        if self._last["count"] < wanted:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._reached.wait()
        return self._last

    async def watch(self, _: HomeAssistant) -> None:
        """Begin to watch the event loop."""
        self._stopwatch.start()

    async def watched(self, _: HomeAssistant) -> float:
        """Stop watching, and return the longest stall in seconds."""
        return self._stopwatch.stop()

    @callback
    def _async_count(self, _: Event) -> None:
        count, flushes = self._last["count"] + 1, self._disk[1]
        self._last = {"count": count, "at": time.monotonic(), "flushes": flushes}
        if count == self._wanted:
            self._reached.set()


async def async_setup(hass: HomeAssistant, config: dict[str, object]) -> bool:
    """Open the door, and the webhook that does nothing."""
    del config
    webhooks.async_open_nothing(hass)
    hass.http.register_view(Probe(hass))
    return True
