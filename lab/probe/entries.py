"""Verbs about config entries."""

import time
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .sends import async_aim_core


async def configure(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Run the config flow of a `handler`, with one of the `answers` for each step.

    The entry gets `options` then, if there are any.
    """
    flow = hass.config_entries.flow
    step: Any = await flow.async_init(data["handler"], context={"source": "user"})
    for answer in data["answers"]:
        step = await flow.async_configure(step["flow_id"], answer)
    entry = step["result"]
    hass.config_entries.async_update_entry(entry, options=data.get("options", {}))
    return {"entry_id": entry.entry_id, "webhook_id": entry.data.get("webhook_id")}


async def renew(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Reload an entry with other `options`, and return them."""
    entries, entry_id = hass.config_entries, data["entry_id"]
    entry = entries.async_get_known_entry(entry_id)
    entries.async_update_entry(entry, options=data["options"])
    await entries.async_reload(entry_id)
    return dict(entry.options)


async def entities(
    hass: HomeAssistant, data: dict[str, Any]
) -> dict[str, dict[str, str]]:
    """Return id and state of each entity of an entry, by the key in its unique id."""
    entry_id = data["entry_id"]
    found = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    return {
        each.unique_id.removeprefix(f"{entry_id}_"): {
            "entity_id": each.entity_id,
            "state": state.state,
        }
        for each in found
        if (state := hass.states.get(each.entity_id))
    }


async def disable(hass: HomeAssistant, data: dict[str, Any]) -> None:
    """Unload an entry, and do not load it at the next start either."""
    await hass.config_entries.async_set_disabled_by(
        data["entry_id"], ConfigEntryDisabler.USER
    )


async def enable(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Load an entry that was disabled, and return the seconds that it took."""
    start = time.perf_counter()
    await _async_load(hass, data["entry_id"])
    return time.perf_counter() - start


async def enable_core(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Load core's own `twilio`, and send a first message as its `twilio_sms` does.

    Only that loads the rest of the SDK, which we load before we are ready.
    """
    start = time.perf_counter()
    await async_setup_component(hass, "twilio", data["settings"])
    await _async_load(hass, data["entry_id"])
    await async_aim_core(hass, data)
    await hass.async_add_executor_job(_send_first, hass.data["twilio"])
    return time.perf_counter() - start


async def _async_load(hass: HomeAssistant, entry_id: str) -> None:
    if not await hass.config_entries.async_set_disabled_by(entry_id, None):
        raise HomeAssistantError("the set-up failed")


def _send_first(client: Any) -> None:
    client.messages.create(body="Hello", from_="+15005550006", to="+33612345678")


async def set_up(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Set an entry up anew, and return the seconds that it took."""
    await hass.config_entries.async_unload(data["entry_id"])
    start = time.perf_counter()
    if not await hass.config_entries.async_setup(data["entry_id"]):
        raise HomeAssistantError("the set-up failed")
    took = time.perf_counter() - start
    # What the set-up leaves to be done must not slow the next one down.
    await hass.async_block_till_done()
    return took


VERBS = {
    verb.__name__: verb
    for verb in (configure, renew, entities, disable, enable, enable_core, set_up)
}
