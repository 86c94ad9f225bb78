"""Sensors that count: messages, their segments, and what those of a month have cost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
import time
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later, async_track_time_change
from homeassistant.util import dt as dt_util

from ..adapters.models import Capability
from ..core.limits import month_of
from ..core.token_bucket import TokenBucket
from ..entity import VirtualSmsEntity
from ..runtime import VirtualSmsConfigEntry
from ..store.store import Tally

TALLY_BURST = 5
"""Changes of a counter that are shown at once."""
TALLY_PAUSE = 5.0
"""Seconds between two changes that are shown, after a burst."""


@dataclass(frozen=True, kw_only=True)
class TallySensorDescription(SensorEntityDescription):
    """A sensor that counts messages."""

    count: Callable[[Tally], int]
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC


_STATE_CLASSES = {
    "sent": SensorStateClass.TOTAL_INCREASING,
    "received": SensorStateClass.TOTAL_INCREASING,
    "failed": SensorStateClass.TOTAL_INCREASING,
    "pending": SensorStateClass.MEASUREMENT,
    "segments": SensorStateClass.TOTAL_INCREASING,
}
"""Each is called as the store's tally calls it."""
TALLY_SENSORS = tuple(
    TallySensorDescription(
        key=key,
        translation_key=key,
        state_class=state_class,
        count=attrgetter(key),
    )
    for key, state_class in _STATE_CLASSES.items()
)
SPENT = SensorEntityDescription(
    key="cost",
    translation_key="cost",
    device_class=SensorDeviceClass.MONETARY,
    state_class=SensorStateClass.TOTAL,
    suggested_display_precision=2,
)
SPENT_CREDITS = SensorEntityDescription(
    key="cost",
    translation_key="cost_credits",
    state_class=SensorStateClass.TOTAL,
    suggested_display_precision=1,
)


def create_cost_sensor(entry: VirtualSmsConfigEntry) -> CostSensor:
    """Create the sensor of what a number's messages cost, in what it is paid in."""
    adapter = entry.runtime_data.gateway.line.adapter
    if Capability.CREDITS in adapter.capabilities:
        return CostSensor(entry, SPENT_CREDITS)
    return MoneySensor(entry, SPENT)


class TallySensor(VirtualSmsEntity, SensorEntity):
    """A number of messages, as the store counts them.

    An alarm to fifty neighbours moves it a hundred times in a few seconds. Each of
    them would be kept in the database for ever, and only the last is of interest.
    """

    entity_description: TallySensorDescription
    _written: int | Decimal | None = None
    _cancel_later: CALLBACK_TYPE | None = None

    def __init__(
        self, entry: VirtualSmsConfigEntry, description: SensorEntityDescription
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
    def native_value(self) -> int | Decimal | None:
        return self.entity_description.count(self._tally)

    @property
    def _tally(self) -> Tally:
        return self._entry.runtime_data.gateway.store.tally

    @callback
    def _async_follow(self) -> None:
        """Show what has changed: at once, or together with what follows soon."""
        if self.native_value == self._written:
            return
        # That nothing is under way any more is what automations wait for.
        if self.native_value == 0:
            self._async_cancel()
            self._async_write()
        elif self._cancel_later is None and self._budget.take():
            self._async_write()
        elif self._cancel_later is None:
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


class CostSensor(TallySensor):
    """What the messages of this calendar month have cost so far."""

    # What is read of it is not what other sensors of its kind read.
    entity_description: SensorEntityDescription  # type: ignore[assignment]  # see above

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            async_track_time_change(
                self.hass, self._async_begin_day, hour=0, minute=0, second=0
            )
        )

    @property
    @override
    def native_value(self) -> Decimal | None:
        return self._read_amount(None)

    @property
    @override
    def last_reset(self) -> datetime:
        return dt_util.start_of_local_day().replace(day=1)

    def _read_amount(self, currency: str | None) -> Decimal:
        """Return what this month has cost of a currency, or of credits."""
        month = month_of(dt_util.now()).name
        amounts = (
            each.cost.amount
            for each in self._tally.costs
            if each.month == month and each.cost.currency == currency
        )
        return sum(amounts, Decimal())

    @callback
    def _async_begin_day(self, _: datetime) -> None:
        """Begin anew with each month."""
        self._async_write()


class MoneySensor(CostSensor):
    """What this month has cost in the account's currency, as soon as it is known."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        coordinator = self._entry.runtime_data.coordinator
        self.async_on_remove(coordinator.async_add_listener(self._async_follow))

    @property
    @override
    def native_value(self) -> Decimal | None:
        currency = self.native_unit_of_measurement
        return None if currency is None else self._read_amount(currency)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the currency that was paid in last, else that of the account."""
        paid = (each.cost.currency for each in self._tally.costs)
        balance = self._entry.runtime_data.coordinator.balance
        return next(filter(None, paid), balance.currency if balance else None)
