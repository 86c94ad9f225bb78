"""Verbs about config entries, and about the home around them."""

import asyncio
from collections.abc import Mapping, Sequence
import gc
from pathlib import Path
import resource
import statistics
import time
from typing import Any, Final

from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component

from .sends import aim_core

_PAUSE: Final = 0.02


async def configure(
    hass: HomeAssistant,
    handler: str,
    answers: Sequence[dict[str, Any]],
    options: Mapping[str, object],
) -> dict[str, str]:
    """Run the config flow of a handler, and give the entry its options then."""
    flow = hass.config_entries.flow
    step: Any = await flow.async_init(handler, context={"source": "user"})
    for answer in answers:
        step = await flow.async_configure(step["flow_id"], answer)
    entry = step["result"]
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    return {"entry_id": entry.entry_id, "webhook_id": entry.data.get("webhook_id")}


async def state(hass: HomeAssistant) -> str:
    """Say whether the home has started."""
    return hass.state.value


async def rest(hass: HomeAssistant) -> None:
    """Wait until the recorder has taken in all that has happened."""
    written: asyncio.Future[None] = hass.loop.create_future()
    # Its own way to wait does not see what its thread has just taken in hand.
    get_instance(hass).queue_task(SynchronizeTask(written))
    await written


async def unload(hass: HomeAssistant, entry_id: str) -> None:
    """Unload an entry until it is set up again."""
    await hass.config_entries.async_unload(entry_id)


async def set_up(hass: HomeAssistant, entry_id: str) -> float:
    """Set an entry up anew, and return the seconds that it took."""
    await unload(hass, entry_id)
    start = time.monotonic()
    if not await hass.config_entries.async_setup(entry_id):
        raise HomeAssistantError("the set-up failed")
    took = time.monotonic() - start
    # What the set-up leaves to be done must not slow the next one down.
    await hass.async_block_till_done()
    return took


async def set_up_core(hass: HomeAssistant, settings: dict[str, Any], url: str) -> None:
    """Set core's `twilio` up, and send a message as its `twilio_sms` does.

    Only that loads the rest of the SDK, which we load before we are ready.
    """
    await async_setup_component(hass, "twilio", settings)
    await aim_core(hass, url)
    first = {"body": "Hello", "from_": "+15005550006", "to": "+33612345678"}
    create = hass.data["twilio"].messages.create
    await hass.async_add_executor_job(lambda: create(**first))


async def weigh(hass: HomeAssistant) -> int:
    """Return the resident memory in bytes."""
    await hass.async_block_till_done()
    gc.collect()
    statm = await hass.async_add_executor_job(Path("/proc/self/statm").read_text)
    return int(statm.split()[1]) * resource.getpagesize()


async def poll(hass: HomeAssistant, entry_id: str) -> float:
    """Have an entry ask its provider, and return the seconds that it took."""
    entry: Any = hass.config_entries.async_get_entry(entry_id)
    coordinator = entry.runtime_data.coordinator
    start = time.monotonic()
    await coordinator.async_refresh()
    if not coordinator.last_update_success:
        raise HomeAssistantError("the poll failed")
    return time.monotonic() - start


async def switch(hass: HomeAssistant, seconds: float) -> float:
    """Toggle a light for some time; return the median wait, in seconds.

    It counts from when it should have been toggled, so a loop that is busy at that
    moment is seen. It switches at once, so that only the waiting counts.
    """
    waits: list[float] = []
    end = hass.loop.time() + seconds
    target = {"entity_id": "input_boolean.light"}
    while (due := hass.loop.time() + _PAUSE) < end:
        await asyncio.sleep(_PAUSE)
        await hass.services.async_call("input_boolean", "toggle", target, blocking=True)
        waits.append(hass.loop.time() - due)
    return statistics.median(waits)


VERBS = (
    *(configure, state, rest, unload, set_up, set_up_core),
    *(weigh, poll, switch),
)
