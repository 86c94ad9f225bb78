"""Sensors: the last things that happened, counters, and the state of the line."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .adapters.models import Capability, DeliveryStatus
from .bus import EventData, get_privacy
from .coordinator import VirtualSmsCoordinator
from .entities.adders import async_keep_adder
from .entities.tally_sensor import TALLY_SENSORS, TallySensor, create_cost_sensor
from .entity import ListeningEntity, VirtualSmsEntity
from .replies.alerts import ALERTS, SIGNAL_ALERT
from .runtime import VirtualSmsConfigEntry
from .store.changes import Change, Received, StatusChanged

PARALLEL_UPDATES = 0


class LineStatus(StrEnum):
    """Whether a number can be used at present."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    NO_CREDIT = "no_credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Last(ExtraStoredData):
    """What a sensor last showed; it is kept over restarts."""

    value: object = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @override
    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class LastSensorDescription(SensorEntityDescription):
    """A sensor that shows a part of the newest change of a kind."""

    source: type[Change]
    shown: str
    attributes: tuple[str, ...] = ()


LAST_SENSORS = (
    LastSensorDescription(
        key="last_message",
        translation_key="last_message",
        source=Received,
        shown="text",
        attributes=("sender", "received_at", "message_id", "text"),
    ),
    LastSensorDescription(
        key="last_sender",
        translation_key="last_sender",
        source=Received,
        shown="sender",
    ),
    LastSensorDescription(
        key="last_delivery",
        translation_key="last_delivery",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in DeliveryStatus],
        source=StatusChanged,
        shown="status",
    ),
)
MONEY = SensorEntityDescription(
    key="balance",
    translation_key="balance",
    device_class=SensorDeviceClass.MONETARY,
    entity_category=EntityCategory.DIAGNOSTIC,
    suggested_display_precision=2,
)
CREDITS = SensorEntityDescription(
    key="balance",
    translation_key="credits",
    entity_category=EntityCategory.DIAGNOSTIC,
    suggested_display_precision=0,
)
LINE_STATUS = SensorEntityDescription(
    key="line_status",
    translation_key="line_status",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[status.value for status in LineStatus],
)
OPEN_ALERTS = SensorEntityDescription(
    key="open_alerts",
    translation_key="open_alerts",
    state_class=SensorStateClass.MEASUREMENT,
)
# It changes with every poll, and few ever need it.
LAST_CHECK = SensorEntityDescription(
    key="last_check",
    translation_key="last_check",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a number."""
    async_add_entities(LastSensor(entry, each) for each in LAST_SENSORS)
    async_add_entities(TallySensor(entry, each) for each in TALLY_SENSORS)
    async_add_entities(
        [LineStatusSensor(entry, LINE_STATUS), LastCheckSensor(entry, LAST_CHECK)]
    )
    async_add_entities([OpenAlertsSensor(entry, OPEN_ALERTS)])
    adapter = entry.runtime_data.gateway.line.adapter
    if Capability.BALANCE in adapter.capabilities:
        counts = Capability.CREDITS in adapter.capabilities
        description = CREDITS if counts else MONEY
        async_add_entities([BalanceSensor(entry, description)])
    async_add_entities([create_cost_sensor(entry)])
    async_keep_adder(hass, entry, SENSOR_DOMAIN, async_add_entities)


class LastSensor(ListeningEntity, SensorEntity, RestoreEntity):
    """What the newest change of a kind says."""

    _unrecorded_attributes = frozenset({"message_id", "received_at", "sender", "text"})
    entity_description: LastSensorDescription
    _last = Last()

    @override
    async def async_added_to_hass(self) -> None:
        if restored := await self.async_get_last_extra_data():
            self._set(Last(**restored.as_dict()))
        await super().async_added_to_hass()

    @property
    @override
    def extra_restore_state_data(self) -> Last:
        return self._last

    @override
    def _is_shown(self, change: Change) -> bool:
        return isinstance(change, self.entity_description.source)

    @callback
    @override
    def _async_show(self, change: Change, shown: EventData) -> None:
        description = self.entity_description
        attributes = {key: shown[key] for key in description.attributes}
        last = Last(value=shown[description.shown], attributes=attributes)
        if last != self._last:
            self._set(last)
            self.async_write_ha_state()

    def _set(self, last: Last) -> None:
        """Keep to today's privacy option: what is restored may be from freer days."""
        redact = get_privacy(self._entry).redact
        shown = self.entity_description.shown
        value = redact({shown: last.value})[shown]
        attributes = redact(last.attributes)
        self._last = Last(value=value, attributes=attributes)
        self._attr_native_value = (
            None if value is None else str(value)[:MAX_LENGTH_STATE_STATE]
        )
        self._attr_extra_state_attributes = attributes


class OpenAlertsSensor(VirtualSmsEntity, SensorEntity):
    """How many alerts that text by this number wait for somebody to take them."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_ALERT, self._async_follow)
        )

    @property
    @override
    def native_value(self) -> int:
        return self.hass.data[ALERTS].async_count(self._entry.entry_id)

    @callback
    def _async_follow(self, _: object) -> None:
        self.async_write_ha_state()


class PolledSensor(CoordinatorEntity[VirtualSmsCoordinator], VirtualSmsEntity):
    """A sensor of what is polled, which is nothing before the first time."""

    def __init__(
        self, entry: VirtualSmsConfigEntry, description: SensorEntityDescription
    ) -> None:
        """Belong to a number."""
        super().__init__(entry.runtime_data.coordinator)
        VirtualSmsEntity.__init__(self, entry, description)


class BalanceSensor(PolledSensor, SensorEntity):
    """What is left in the account, in money or in credits."""

    @property
    @override
    def native_value(self) -> Decimal | None:
        balance = self.coordinator.balance
        return balance.amount if balance else None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        balance = self.coordinator.balance
        return balance.currency if balance else None


class AlwaysKnownSensor(PolledSensor, SensorEntity):
    """A sensor that has something to say also while the provider does not answer."""

    @property
    @override
    def available(self) -> bool:
        return True


class LineStatusSensor(AlwaysKnownSensor):
    """Whether the number can be used, which is known at all times."""

    @property
    @override
    def native_value(self) -> LineStatus | None:
        return read_line_status(self.coordinator)


def read_line_status(coordinator: VirtualSmsCoordinator) -> LineStatus | None:
    """Return whether a number can be used, whether its sensor is enabled or not."""
    if not coordinator.last_update_success:
        return LineStatus.UNAVAILABLE
    if coordinator.has_credit is False:
        return LineStatus.NO_CREDIT
    return None if coordinator.data is None else LineStatus.AVAILABLE


class LastCheckSensor(AlwaysKnownSensor):
    """When the provider last answered a poll: of most use while it does not."""

    @property
    @override
    def native_value(self) -> datetime | None:
        return self.coordinator.last_update_success_time
