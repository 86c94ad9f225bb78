"""What the entities of contacts and groups have in common."""

from typing import override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import EntityDescription

from ..bus import async_listen_to_contact
from ..const import DOMAIN
from ..core.contacts import Contact, Group
from ..entity import ListeningEntity, VirtualSmsEntity
from ..people.contacts import device_identifier
from ..runtime import VirtualSmsConfigEntry


class PeopleEntity(VirtualSmsEntity):
    """An entity of the device of a contact or a group."""

    def __init__(
        self,
        entry: VirtualSmsConfigEntry,
        whose: Contact | Group,
        description: EntityDescription,
    ) -> None:
        """Belong to a contact or a group, whatever they are called one day."""
        super().__init__(entry, description)
        self._whose = whose
        self._attr_unique_id = f"{entry.entry_id}_{whose.own_id}_{description.key}"

    @property
    @override
    def device_info(self) -> dr.DeviceInfo:
        """Return the device, which hangs on that of the number."""
        entry_id = self._entry.entry_id
        number = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, entry_id), entry_id
        )
        info = dr.DeviceInfo(
            identifiers={device_identifier(self._whose)},
            entry_type=dr.DeviceEntryType.SERVICE,
            name=self._whose.name,
        )
        if number is not None:
            info["via_device_id"] = number.id
        return info


class ContactEntity(PeopleEntity, ListeningEntity):
    """An entity that shows what a contact writes, or what is written to them."""

    @callback
    @override
    def _async_listen(self) -> CALLBACK_TYPE:
        return async_listen_to_contact(
            self.hass, self._whose.own_id, self._async_handle
        )
