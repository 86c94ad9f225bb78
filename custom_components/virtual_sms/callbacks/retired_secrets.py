"""Take a replaced secret that counts no more out of its config entry, off the disk."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..adapters import ADAPTERS
from ..adapters.replaced_secret import previous_keys
from ..entry_data import EntryData

if TYPE_CHECKING:
    from ..adapters.base import SmsAdapter
    from ..runtime import VirtualSmsConfigEntry

PAUSE = timedelta(minutes=1)
"""How long a secret that is over may stay; a step of the clock is no exception."""


class RetiredSecrets:
    """The replaced secrets of one entry, as its adapter knows them."""

    def __init__(
        self, hass: HomeAssistant, entry: VirtualSmsConfigEntry, adapter: SmsAdapter
    ) -> None:
        """Take the adapter that was made with the entry's present credentials."""
        self._hass = hass
        self._entry = entry
        self._adapter = adapter
        data = EntryData.of(entry)
        self._credentials = data.credentials
        fields = ADAPTERS[data.provider].credential_fields
        rotating = [field.key for field in fields if field.rotates]
        self._names = {name for key in rotating for name in previous_keys(key)}

    @callback
    def async_watch(self) -> None:
        """Clear what is over now, and what comes to be over while the entry is loaded."""
        self.async_clear()
        if self._names.isdisjoint(EntryData.of(self._entry).credentials):
            return

        @callback
        def look(_: datetime) -> None:
            self.async_clear()

        self._entry.async_on_unload(
            async_track_time_interval(self._hass, look, PAUSE, cancel_on_shutdown=True)
        )

    @callback
    def async_clear(self) -> None:
        """Clear what is over. The entry is not loaded anew, for nothing else changes.

        Credentials that were renewed meanwhile are another adapter's.
        """
        data = EntryData.of(self._entry)
        if not self._adapter.has_retired_secrets:
            return
        if data.credentials != self._credentials:
            return
        kept = {
            name: value
            for name, value in self._credentials.items()
            if name not in self._names
        }
        self._hass.config_entries.async_update_entry(
            self._entry, data=replace(data, credentials=kept).as_dict()
        )
