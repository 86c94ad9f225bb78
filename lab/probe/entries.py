"""Verbs about config entries."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er


async def configure(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Run the config flow of a `handler`, with one of the `answers` for each step."""
    flow = hass.config_entries.flow
    step: Any = await flow.async_init(data["handler"], context={"source": "user"})
    for answer in data["answers"]:
        step = await flow.async_configure(step["flow_id"], answer)
    entry = step["result"]
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


VERBS = {"configure": configure, "renew": renew, "entities": entities}
