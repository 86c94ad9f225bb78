"""Write down every event of ours at the moment it is fired, and shake the home.

What a listener outside hears is gone when the process is killed; a line handed to
the kernel is not. So this stands inside Home Assistant, beside the integration.

`POST /api/witness/clock` with `{"offset": seconds}` sets the clock,
`POST /api/witness/disk` with `{"full": bool}` fills the disk: see `lab.shaken`.
`GET /api/witness/credentials` returns those of each number, by its entry.
"""

import json
import os
from pathlib import Path
import time

from aiohttp import web
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.helpers.start import async_at_started

from lab.shaken import clock, disk, mutants

EVENTS = (
    *("virtual_sms_received", "virtual_sms_status"),
    *("virtual_sms_alert", "virtual_sms_answered", "virtual_sms_call"),
)
FILE = "witness.jsonl"


class ShakeView(HomeAssistantView):
    """The door to what can be shaken from inside."""

    url = "/api/witness/{what}"
    name = "api:witness"

    async def post(self, request: web.Request, what: str) -> web.Response:
        """Shake one thing."""
        data = await request.json()
        if what == "clock":
            clock.step(float(data["offset"]))
        else:
            disk.fill(full=bool(data["full"]))
        return self.json({})


class CredentialsView(HomeAssistantView):
    """What each number was given last, which nothing else shows."""

    url = "/api/witness/credentials"
    name = "api:witness:credentials"

    async def get(self, request: web.Request) -> web.Response:
        """Return the credentials of each number."""
        entries = request.app[KEY_HASS].config_entries.async_entries("virtual_sms")
        return self.json({each.entry_id: each.data["credentials"] for each in entries})


async def async_setup(hass: HomeAssistant, config: dict[str, object]) -> bool:
    """Listen before anybody else does."""
    del config
    path = Path(hass.config.path(FILE))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    file = await hass.async_add_executor_job(os.open, path, flags)

    @callback
    def write(event: Event) -> None:
        line = {
            "pid": os.getpid(),
            "at": time.monotonic(),
            "type": event.event_type,
            "data": event.data,
        }
        os.write(file, json.dumps(line).encode() + b"\n")

    for event_type in EVENTS:
        hass.bus.async_listen(event_type, write)
    hass.http.register_view(CredentialsView())
    hass.http.register_view(ShakeView())
    await hass.async_add_executor_job(mutants.apply)

    async def follow(_: HomeAssistant) -> None:
        clock.follow()

    async_at_started(hass, follow)
    return True
