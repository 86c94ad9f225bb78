"""Measure from inside a Home Assistant what cannot be seen from outside.

`POST /api/probe/<verb>` with JSON does what the verb's docstring says and answers
JSON. It is open to anyone, so it belongs in a home that only this machine reaches.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.const import Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.http import HomeAssistantView

from . import disk, entries, floor, history, light, process, recorder, sends, store
from .stopwatch import Stopwatch

COUNTED = (
    "virtual_sms_received",
    "virtual_sms_status",
    "twilio_data_received",
    floor.EVENT,
)
NOTHING = "nothing"
"""The webhook that does nothing: what Home Assistant itself takes for a callback."""


class Probe:
    """What the verbs are about, and what happened so far."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to count."""
        self._hass = hass
        self._counts: Counter[str] = Counter()
        self._stopwatch = Stopwatch(hass)
        self._wanted, self._reached = 0, asyncio.Event()
        for event_type in COUNTED:
            hass.bus.async_listen(event_type, self._async_count)

    async def state(self, _: Any) -> str:
        """Say whether the home has started."""
        return self._hass.state.value

    async def counts(self, _: Any) -> dict[str, int]:
        """Return how many events of each kind there were."""
        return dict(self._counts)

    async def wait(self, data: Any) -> int:
        """Return the number of all events, once there were `wanted` of them."""
        self._wanted, self._reached = data["wanted"], asyncio.Event()
        self._async_compare()
        with suppress(TimeoutError):
            async with asyncio.timeout(data["seconds"]):
                await self._reached.wait()
        return self._counts.total()

    async def watch(self, _: Any) -> None:
        """Begin to watch the event loop and the executor."""
        self._stopwatch.start()

    async def watched(self, _: Any) -> dict[str, Any]:
        """Say what was seen since, and stop watching."""
        return self._stopwatch.stop()

    @callback
    def _async_count(self, event: Event) -> None:
        self._counts[str(event.event_type)] += 1
        self._async_compare()

    @callback
    def _async_compare(self) -> None:
        if self._counts.total() >= self._wanted:
            self._reached.set()


class ProbeView(HomeAssistantView):
    """The door to the verbs."""

    url = "/api/probe/{verb}"
    name = "api:probe"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """List the verbs."""
        self._hass = hass
        probe = Probe(hass)
        self._own = {
            verb.__name__: verb
            for verb in (
                probe.state,
                probe.counts,
                probe.wait,
                probe.watch,
                probe.watched,
            )
        }
        self._verbs = {
            name: verb
            for module in (
                *(disk, entries, floor, history, store),
                *(light, process, recorder, sends),
            )
            for name, verb in module.VERBS.items()
        }

    async def post(self, request: web.Request, verb: str) -> web.Response:
        """Do what a verb says."""
        data = await request.json()
        if own := self._own.get(verb):
            return self.json(await own(data))
        return self.json(await self._verbs[verb](self._hass, data))


async def _async_do_nothing(
    hass: HomeAssistant, webhook_id: str, request: web.Request
) -> web.Response:
    del hass, webhook_id
    # Whoever does not read the body makes the server do it.
    await request.read()
    return web.Response(text="")


async def async_setup(hass: HomeAssistant, config: dict[str, object]) -> bool:
    """Open the door, the webhook that does nothing, and the light."""
    webhook.async_register(hass, "probe", "Nothing", NOTHING, _async_do_nothing)
    hass.http.register_view(ProbeView(hass))
    await async_load_platform(hass, Platform.LIGHT, "probe", {}, dict(config))
    return True
