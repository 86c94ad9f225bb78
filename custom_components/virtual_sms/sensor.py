"""Sensors: the last things that happened, counters, and the state of the line."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
import time
from typing import Any, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .adapters.models import Capability, DeliveryStatus
from .bus import EventData, get_privacy
from .coordinator import VirtualSmsCoordinator
from .core.token_bucket import TokenBucket
from .entity import ListeningEntity, VirtualSmsEntity
from .entity_adders import async_keep_adder
from .runtime import VirtualSmsConfigEntry
from .store.changes import Change, Received, StatusChanged
from .store.store import Tally

PARALLEL_UPDATES = 0

TALLY_BURST = 5
"""Changes of a counter that are shown at once."""
TALLY_PAUSE = 5.0
"""Seconds between two changes that are shown, after a burst."""


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


@dataclass(frozen=True, kw_only=True)
class TallySensorDescription(SensorEntityDescription):
    """A sensor that counts messages."""

    count: Callable[[Tally], int]
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC


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
TALLY_SENSORS = (
    TallySensorDescription(
        key="sent",
        translation_key="sent",
        state_class=SensorStateClass.TOTAL_INCREASING,
        count=lambda tally: tally.sent,
    ),
    TallySensorDescription(
        key="received",
        translation_key="received",
        state_class=SensorStateClass.TOTAL_INCREASING,
        count=lambda tally: tally.received,
    ),
    TallySensorDescription(
        key="failed",
        translation_key="failed",
        state_class=SensorStateClass.TOTAL_INCREASING,
        count=lambda tally: tally.failed,
    ),
    TallySensorDescription(
        key="pending",
        translation_key="pending",
        state_class=SensorStateClass.MEASUREMENT,
        count=lambda tally: tally.pending,
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
    suggested_display_precision=1,
)
LINE_STATUS = SensorEntityDescription(
    key="line_status",
    translation_key="line_status",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[status.value for status in LineStatus],
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
    adapter = entry.runtime_data.gateway.line.adapter
    if Capability.BALANCE in adapter.capabilities:
        counts = Capability.CREDITS in adapter.capabilities
        description = CREDITS if counts else MONEY
        async_add_entities([BalanceSensor(entry, description)])
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

    @callback
    @override
    def _async_show(self, change: Change, shown: EventData) -> None:
        description = self.entity_description
        if not isinstance(change, description.source):
            return
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


class TallySensor(VirtualSmsEntity, SensorEntity):
    """A number of messages, as the store counts them.

    An alarm to fifty neighbours moves it a hundred times in a few seconds. Each of
    them would be kept in the database for ever, and only the last is of interest.
    """

    entity_description: TallySensorDescription
    _written: int | None = None
    _cancel_later: CALLBACK_TYPE | None = None

    def __init__(
        self, entry: VirtualSmsConfigEntry, description: TallySensorDescription
    ) -> None:
        """Belong to a number."""
        super().__init__(entry, description)
        self._budget = TokenBucket(TALLY_BURST, TALLY_PAUSE, time.monotonic)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        store = self._entry.runtime_data.gateway.store
        self.async_on_remove(store.listen(self._async_follow))
        self.async_on_remove(self._async_cancel)
        self._written = self.native_value

    @property
    @override
    def native_value(self) -> int:
        tally = self._entry.runtime_data.gateway.store.tally
        return self.entity_description.count(tally)

    @callback
    def _async_follow(self) -> None:
        """Show what has changed: at once, or together with what follows soon."""
        if self.native_value == self._written or self._cancel_later is not None:
            return
        if self._budget.take():
            self._async_write()
        else:
            job = HassJob(self._async_catch_up, cancel_on_shutdown=True)
            self._cancel_later = async_call_later(self.hass, TALLY_PAUSE, job)

    @callback
    def _async_catch_up(self, _: datetime) -> None:
        """Show what could not be shown at once; it counts as much."""
        self._cancel_later = None
        self._budget.take()
        self._async_write()

    @callback
    def _async_write(self) -> None:
        self._written = self.native_value
        self.async_write_ha_state()

    @callback
    def _async_cancel(self) -> None:
        if self._cancel_later is not None:
            self._cancel_later()
            self._cancel_later = None


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
        if not self.coordinator.last_update_success:
            return LineStatus.UNAVAILABLE
        if self.coordinator.has_credit is False:
            return LineStatus.NO_CREDIT
        if self.coordinator.data is None:
            return None
        return LineStatus.AVAILABLE


class LastCheckSensor(AlwaysKnownSensor):
    """When the provider last answered a poll: of most use while it does not."""

    @property
    @override
    def native_value(self) -> datetime | None:
        return self.coordinator.last_update_success_time
