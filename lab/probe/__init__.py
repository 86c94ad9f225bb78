"""Measure from inside a Home Assistant what cannot be seen from outside.

`POST /api/probe/<verb>` with JSON does what the docstring of that method says and
answers JSON. It is open to anyone, so it belongs in a home that only this machine
reaches.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
import gc
from importlib import import_module
import mmap
import os
from pathlib import Path
import resource
import time
from typing import Any, Final

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import (
    Event,
    HomeAssistant,
    ServiceCall,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component

from .stopwatch import Stopwatch
from .twin import Twin

_COUNTED: Final = ("virtual_sms_received", "virtual_sms_status", "twilio_data_received")
_TWILIO: Final = "https://api.twilio.com"


class Probe(HomeAssistantView):
    """The door to the verbs, and whoever counts events and watches the loop."""

    url = "/api/probe/{verb}"
    name = "api:probe"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to count."""
        self._hass = hass
        self._stopwatch, self._twins = Stopwatch(), dict[str, Twin]()
        with Path(os.environ["BENCH_DISK"]).open("r+b") as file:
            self._disk = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self._last: dict[str, float] = {"count": 0, "at": 0.0, "flushes": 0}
        self._wanted, self._reached = 0, asyncio.Event()
        for event_type in _COUNTED:
            hass.bus.async_listen(event_type, self._async_count)

    async def post(self, request: web.Request, verb: str) -> web.Response:
        """Do what a verb says."""
        return self.json(await getattr(self, verb)(**await request.json()))

    @callback
    def _async_count(self, _: Event) -> None:
        count, flushes = self._last["count"] + 1, self._disk[1]
        self._last = {"count": count, "at": time.monotonic(), "flushes": flushes}
        if count == self._wanted:
            self._reached.set()

    async def state(self) -> str:
        """Say whether the home has started."""
        return self._hass.state.value

    async def wait(self, wanted: int = 0, seconds: float = 0.0) -> dict[str, float]:
        """Say as which event the last one was fired, when, and after how many flushes.

        That waits until there were as many events as are wanted.
        """
        self._wanted, self._reached = wanted, asyncio.Event()
        if self._last["count"] < wanted:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._reached.wait()
        return self._last

    async def rest(self) -> None:
        """Wait until the recorder has taken in all that has happened."""
        written: asyncio.Future[None] = self._hass.loop.create_future()
        # Its own way to wait does not see what its thread has just taken in hand.
        get_instance(self._hass).queue_task(SynchronizeTask(written))
        await written

    async def watch(self) -> None:
        """Begin to watch the event loop."""
        self._stopwatch.start()

    async def watched(self) -> float:
        """Stop watching, and return the longest stall in seconds."""
        return self._stopwatch.stop()

    async def weigh(self) -> float:
        """Return the resident memory in MiB."""
        await self._hass.async_block_till_done()
        gc.collect()
        read = Path("/proc/self/statm").read_text
        pages = (await self._hass.async_add_executor_job(read)).split()[1]
        return int(pages) * resource.getpagesize() / 2**20

    async def call(
        self,
        domain: str,
        action: str,
        calls: Sequence[dict[str, Any]],
        pause: float | None = None,
    ) -> dict[str, list[Any]]:
        """Call an action; return when each was due, began and ended, and its response.

        All are made at once, or, after a pause in seconds each, one after another.
        """
        services = self._hass.services
        answers = (
            services.supports_response(domain, action) is not SupportsResponse.NONE
        )

        async def time_call(data: dict[str, Any]) -> tuple[object, ...]:
            due = time.monotonic() + (pause or 0)
            await asyncio.sleep(pause or 0)
            began = time.monotonic()
            answer = await services.async_call(
                domain, action, data, blocking=True, return_response=answers
            )
            return due, began, time.monotonic(), answer

        if pause is None:
            made = await asyncio.gather(*map(time_call, calls))
        else:
            made = [await time_call(data) for data in calls]
        names = ("due", "began", "ended", "answers")
        return dict(zip(names, map(list, zip(*made, strict=True)), strict=True))

    async def configure(
        self,
        handler: str,
        answers: Sequence[dict[str, Any]],
        options: Mapping[str, object],
    ) -> dict[str, str]:
        """Run the config flow of a handler, and give the entry its options then."""
        entries = self._hass.config_entries
        step: Any = await entries.flow.async_init(handler, context={"source": "user"})
        for answer in answers:
            step = await entries.flow.async_configure(step["flow_id"], answer)
        entry = step["result"]
        entries.async_update_entry(entry, options=options)
        await self._hass.async_block_till_done()
        webhook_id = entry.data.get("webhook_id")
        return {"entry_id": entry.entry_id, "webhook_id": webhook_id}

    async def unload(self, entry_id: str) -> None:
        """Unload an entry until it is set up again."""
        await self._hass.config_entries.async_unload(entry_id)

    async def set_up(self, entry_id: str) -> float:
        """Set an entry up anew, and return the seconds that it took."""
        await self.unload(entry_id)
        start = time.monotonic()
        if not await self._hass.config_entries.async_setup(entry_id):
            raise HomeAssistantError("the set-up failed")
        took = time.monotonic() - start
        # What the set-up leaves to be done must not slow the next one down.
        await self._hass.async_block_till_done()
        return took

    async def poll(self, entry_id: str) -> float:
        """Have an entry ask its provider, and return the seconds that it took."""
        coordinator = self._find(entry_id).coordinator
        start = time.monotonic()
        await coordinator.async_refresh()
        if not coordinator.last_update_success:
            raise HomeAssistantError("the poll failed")
        return time.monotonic() - start

    async def forget(self, entry_id: str) -> None:
        """Have a number remember nothing of what it takes in until `remember`."""
        self._twins[entry_id] = Twin(self._find(entry_id).gateway.store)

    async def remember(self, entry_id: str) -> None:
        """Take a number's memory up again, if it has none."""
        if twin := self._twins.pop(entry_id, None):
            twin.leave()

    def _find(self, entry_id: str) -> Any:
        entry: Any = self._hass.config_entries.async_get_entry(entry_id)
        return entry.runtime_data

    async def set_up_core(self, settings: dict[str, Any], url: str) -> None:
        """Set core's `twilio` up, and send a message as its `twilio_sms` does.

        Only that loads the rest of the SDK, which we load before we are ready.
        """
        await async_setup_component(self._hass, "twilio", settings)
        await self.aim_core(url)
        first = {"body": "Hello", "from_": "+15005550006", "to": "+33612345678"}
        create = self._hass.data["twilio"].messages.create
        await self._hass.async_add_executor_job(partial(create, **first))

    async def aim_core(self, url: str) -> None:
        """Have core's `twilio` ask a provider at another origin: it has no setting."""
        client = self._hass.data["twilio"].http_client
        request = client.request

        def ask(method: str, address: str, *args: Any, **options: Any) -> object:
            return request(method, address.replace(_TWILIO, url), *args, **options)

        client.request = ask

    async def open_ovh(self, url: str, path: str, credentials: Sequence[str]) -> None:
        """Open an action that sends by OVHcloud's SDK, as its documentation does."""

        def build() -> Any:
            module = import_module("ovh.client")
            module.ENDPOINTS["bench"] = f"{url}/1.0"
            return module.Client("bench", *credentials)

        client = await self._hass.async_add_executor_job(build)

        def send(call: ServiceCall) -> None:
            for each in call.data["to"]:
                client.post(path, message=call.data["message"], receivers=[each])

        self._hass.services.async_register("probe", "sdk", send)

    async def open_webhooks(self, url: str, token: str) -> None:
        """Open a webhook that has Twilio's SDK check a signature, and one that does not.

        The latter is what Home Assistant takes for a callback.
        """
        validator = import_module("twilio.request_validator").RequestValidator(token)

        async def check(_: object, __: str, request: web.Request) -> web.Response:
            form = {key: str(value) for key, value in (await request.post()).items()}
            signature = request.headers["X-Twilio-Signature"]
            is_signed = validator.validate(url, form, signature)
            return web.Response(status=204 if is_signed else 403)

        async def answer(_: object, __: str, request: web.Request) -> web.Response:
            # Whoever does not read the body makes the server do it.
            await request.read()
            return web.Response(text="")

        for webhook_id, handle in (("sdk", check), ("nothing", answer)):
            webhook.async_register(self._hass, "probe", "Probe", webhook_id, handle)


async def async_setup(hass: HomeAssistant, config: dict[str, object]) -> bool:
    """Open the door."""
    del config
    hass.http.register_view(Probe(hass))
    return True
