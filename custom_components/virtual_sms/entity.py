"""What all entities of a number have in common."""

from abc import abstractmethod
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .bus import News, async_subscribe
from .const import DOMAIN
from .runtime import VirtualSmsConfigEntry


class VirtualSmsEntity(Entity):
    """An entity of a number's device."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, entry: VirtualSmsConfigEntry, description: EntityDescription
    ) -> None:
        """Take the number it belongs to, and what it shows of it."""
        self.entity_description = description
        self._entry = entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})


class ListeningEntity(VirtualSmsEntity):
    """An entity that hears what is told of its number."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            async_subscribe(self.hass, self._entry.entry_id, self._async_hear)
        )

    @callback
    @abstractmethod
    def _async_hear(self, news: News) -> None:
        """Take note of what happened."""
