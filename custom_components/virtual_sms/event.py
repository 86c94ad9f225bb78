"""Events: a message came in, a message of ours moved on, or a call did."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import override

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntity,
    EventEntityDescription,
    EventExtraStoredData,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adapters.call_models import CallState
from .adapters.models import Capability, DeliveryStatus
from .bus import COMMON_FIELDS, EventData, find_privacy
from .entities.adders import async_keep_adder
from .entity import ListeningEntity
from .runtime import VirtualSmsConfigEntry
from .store.changes import CallChanged, Change, Received, StatusChanged

PARALLEL_UPDATES = 0

RECEIVED = "received"
_NOTHING = Capability(0)


@dataclass(frozen=True, kw_only=True)
class VirtualSmsEventDescription(EventEntityDescription):
    """An event entity: the kind of change that it shows, and what that is called.

    It is only there where the provider has what it `needs`.
    """

    source: type[Change]
    read_type: Callable[[EventData], str]
    needs: Capability = _NOTHING


EVENTS = (
    VirtualSmsEventDescription(
        key="message",
        translation_key="message",
        event_types=[RECEIVED],
        source=Received,
        read_type=lambda _: RECEIVED,
    ),
    VirtualSmsEventDescription(
        key="delivery",
        translation_key="delivery",
        event_types=[status.value for status in DeliveryStatus],
        source=StatusChanged,
        read_type=lambda shown: str(shown["status"]),
    ),
    VirtualSmsEventDescription(
        key="call",
        translation_key="call",
        event_types=[state.value for state in CallState],
        source=CallChanged,
        read_type=lambda shown: str(shown["state"]),
        needs=Capability.CALLS,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entities of a number."""
    capabilities = entry.runtime_data.gateway.line.adapter.capabilities
    async_add_entities(
        VirtualSmsEvent(entry, each) for each in EVENTS if each.needs in capabilities
    )
    async_keep_adder(hass, entry, EVENT_DOMAIN, async_add_entities)


class VirtualSmsEvent(ListeningEntity, EventEntity):
    """What last happened, with all that is known of it."""

    # The device says what each event repeats.
    _unrecorded_attributes = COMMON_FIELDS | {
        "correspondent",
        "media",
        "recipient",
        "sender",
        "text",
    }
    entity_description: VirtualSmsEventDescription

    @override
    async def async_get_last_event_data(self) -> EventExtraStoredData | None:
        """Restore no more than today's privacy option allows, of the number it came by."""
        last = await super().async_get_last_event_data()
        if last is None or last.last_event_attributes is None:
            return last
        attributes = last.last_event_attributes
        privacy = find_privacy(self.hass, str(attributes.get("entry_id")))
        return replace(last, last_event_attributes=privacy.redact(attributes))

    @override
    def _is_shown(self, change: Change) -> bool:
        return isinstance(change, self.entity_description.source)

    @callback
    @override
    def _async_show(self, change: Change, shown: EventData) -> None:
        event_type = self.entity_description.read_type(shown)
        self._trigger_event(event_type, dict(shown))
        self.async_write_ha_state()
