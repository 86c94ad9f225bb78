"""Verbs about config entries."""

from typing import Any

from homeassistant.core import HomeAssistant


async def configure(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Run the config flow of a `handler`, with one of the `answers` for each step."""
    flow = hass.config_entries.flow
    step: Any = await flow.async_init(data["handler"], context={"source": "user"})
    for answer in data["answers"]:
        step = await flow.async_configure(step["flow_id"], answer)
    entry = step["result"]
    return {"entry_id": entry.entry_id, "webhook_id": entry.data.get("webhook_id")}


VERBS = {"configure": configure}
