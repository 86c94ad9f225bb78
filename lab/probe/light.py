"""A light, and a verb that switches it: what else a home does meanwhile."""

import asyncio
import statistics
import time
from typing import Any, override

from homeassistant.components.light import LightEntity
from homeassistant.components.light.const import ColorMode
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

_PAUSE = 0.02


class ProbeLight(LightEntity):
    """It switches at once, so that only the waiting counts."""

    entity_id = "light.probe"
    _attr_should_poll = False
    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}  # noqa: RUF012  # as core writes it
    _attr_is_on = False

    @override
    async def async_turn_on(self, **_: Any) -> None:
        self._attr_is_on = True
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **_: Any) -> None:
        self._attr_is_on = False
        self.async_write_ha_state()


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Add the light."""
    del hass, config, discovery_info
    async_add_entities([ProbeLight()])


async def switch(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Toggle the light for some `seconds`; return the median wait, in seconds.

    It counts from when the light should have been toggled, so a loop that is busy
    at that moment is seen.
    """
    waits: list[float] = []
    end = hass.loop.time() + data["seconds"]
    while (due := hass.loop.time() + _PAUSE) < end:
        await asyncio.sleep(due - hass.loop.time())
        late = hass.loop.time() - due
        start = time.perf_counter()
        await hass.services.async_call(
            "light", "toggle", {"entity_id": "light.probe"}, blocking=True
        )
        waits.append(late + time.perf_counter() - start)
    return statistics.median(waits)


VERBS = {"switch": switch}
