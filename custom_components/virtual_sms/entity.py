"""What all entities of a number have in common."""

from abc import abstractmethod
from typing import override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .bus import EventData, async_listen, get_privacy
from .const import DOMAIN
from .runtime import VirtualSmsConfigEntry
from .store.changes import Change


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
    """An entity that shows the changes of its number, as far as privacy lets it."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._async_listen())

    @callback
    def _async_listen(self) -> CALLBACK_TYPE:
        """Have the changes handled that the entity may show."""
        return async_listen(self.hass, self._entry.entry_id, self._async_handle)

    @callback
    def _async_handle(
        self, entry: VirtualSmsConfigEntry, change: Change, data: EventData
    ) -> None:
        if self._is_shown(change):
            self._async_show(change, get_privacy(entry).redact(data))

    @abstractmethod
    def _is_shown(self, change: Change) -> bool:
        """Say whether a change is one of those that the entity shows."""

    @callback
    @abstractmethod
    def _async_show(self, change: Change, shown: EventData) -> None:
        """Show a change by `shown` alone."""
