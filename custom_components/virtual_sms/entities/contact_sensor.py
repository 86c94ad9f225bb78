"""The sensors of a contact: what became of the last message, and the contact's status."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from ..core.contacts import Contact, ContactStatus, Group
from ..people.contact_facts import (
    async_get_facts,
    async_listen_to_facts,
    async_note_facts,
)
from ..runtime import VirtualSmsConfigEntry
from ..sensor import LAST_SENSORS, LastSensor
from .contact_entity import ContactEntity, PeopleEntity

(LAST_DELIVERY,) = (each for each in LAST_SENSORS if each.key == "last_delivery")
CONTACT_STATUS = SensorEntityDescription(
    key="status",
    translation_key="contact_status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in ContactStatus],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached(ExtraStoredData):
    """What the status keeps over restarts: no more than what nobody else knows."""

    is_undelivered: bool = False

    @override
    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def create_sensors(
    entry: VirtualSmsConfigEntry, whose: Contact | Group
) -> Iterable[SensorEntity]:
    """Create the sensors of a contact; a group has none."""
    if isinstance(whose, Group):
        return []
    return [
        ContactLastSensor(entry, whose, LAST_DELIVERY),
        ContactStatusSensor(entry, whose, CONTACT_STATUS),
    ]


class ContactLastSensor(ContactEntity, LastSensor):
    """The newest status of a message to a contact, by whichever line."""


class ContactStatusSensor(PeopleEntity, SensorEntity, RestoreEntity):
    """Whether a contact can be reached, and may be heard."""

    @override
    async def async_added_to_hass(self) -> None:
        if restored := await self.async_get_last_extra_data():
            reached = Reached(**restored.as_dict())
            async_note_facts(
                self.hass, self._whose.own_id, is_undelivered=reached.is_undelivered
            )
        await super().async_added_to_hass()
        self.async_on_remove(
            async_listen_to_facts(
                self.hass, self._whose.own_id, self.async_write_ha_state
            )
        )

    @property
    @override
    def native_value(self) -> ContactStatus:
        return async_get_facts(self.hass, self._whose.own_id).status

    @property
    @override
    def extra_restore_state_data(self) -> Reached:
        facts = async_get_facts(self.hass, self._whose.own_id)
        return Reached(is_undelivered=facts.is_undelivered)
