"""Events: a message came in, a message of ours moved on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adapters.models import DeliveryStatus
from .announcements import Announcement, Received, StatusChanged
from .entity import ListeningEntity
from .events import describe
from .runtime import VirtualSmsConfigEntry

PARALLEL_UPDATES = 0

RECEIVED = "received"


@dataclass(frozen=True, kw_only=True)
class VirtualSmsEventDescription(EventEntityDescription):
    """An event entity; `event_type` tells what an announcement is to it, if anything."""

    event_type: Callable[[Announcement], str | None]


def _inbound(announcement: Announcement) -> str | None:
    return RECEIVED if isinstance(announcement, Received) else None


def _outbound(announcement: Announcement) -> str | None:
    if isinstance(announcement, StatusChanged):
        return announcement.status.value
    return None


EVENTS = (
    VirtualSmsEventDescription(
        key="message",
        translation_key="message",
        event_types=[RECEIVED],
        event_type=_inbound,
    ),
    VirtualSmsEventDescription(
        key="delivery",
        translation_key="delivery",
        event_types=[status.value for status in DeliveryStatus],
        event_type=_outbound,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entities of a number."""
    async_add_entities(VirtualSmsEvent(entry, each) for each in EVENTS)


class VirtualSmsEvent(ListeningEntity, EventEntity):
    """What last happened, with all that is known of it."""

    _unrecorded_attributes = frozenset({"media", "recipient", "sender", "text"})
    entity_description: VirtualSmsEventDescription

    @callback
    @override
    def _async_hear(self, announcement: Announcement) -> None:
        event_type = self.entity_description.event_type(announcement)
        if event_type is not None:
            _, attributes = describe(announcement)
            self._trigger_event(event_type, attributes)
            self.async_write_ha_state()
