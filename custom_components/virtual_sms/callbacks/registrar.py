"""Keep our callback URL at the provider for as long as an entry exists."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..account_entries import async_find_successor, async_own_marks
from ..adapters.base import SmsAdapter
from ..adapters.errors import ProviderUnavailableError, SmsError
from ..adapters.models import CallbackUrls
from ..const import DOMAIN
from ..core.callback_urls import CallbackRegistration, Finding
from ..core.line import Line
from ..entry_data import EntryData
from ..error_messages import async_create_adapter
from ..issues import Problem
from .callback_health import CallbackHealth
from .public_url import (
    CloudAwayError,
    NoPublicUrlError,
    async_callback_url,
    async_listen_to_address,
)
from .voice import VoiceRegistrar, async_release_voice

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_RETRY_AFTER = timedelta(minutes=10)


class Registrar:
    """Have the provider call where this home is, for as long as a number is loaded."""

    def __init__(
        self, hass: HomeAssistant, entry: VirtualSmsConfigEntry, line: Line
    ) -> None:
        """Take the number's line: it learns what was registered."""
        self._hass = hass
        self._entry = entry
        self._line = line
        self._lock = asyncio.Lock()
        self._cancel_retry: CALLBACK_TYPE | None = None
        self.health = CallbackHealth(hass, entry)
        self.voice = VoiceRegistrar(hass, entry, line)

    @property
    def adapter(self) -> SmsAdapter:
        """Return what the provider is asked through."""
        return self._line.adapter

    @property
    def registration(self) -> CallbackRegistration:
        """Return the claim on the number's URLs, as the entries stand now."""
        return _registration(self._hass, self._entry, self._line.adapter)

    @property
    def time_there(self) -> datetime:
        """Return what time it is at the provider, which dates its calls."""
        return self._line.provider_time(dt_util.utcnow())

    @property
    def _data(self) -> EntryData:
        return EntryData.of(self._entry)

    @callback
    def async_watch(self) -> None:
        """Follow the home's address until the entry is unloaded."""
        data = self._data
        if data.polls:
            return
        stop = async_listen_to_address(self._hass, data.webhook_id, self._async_moved)
        self._entry.async_on_unload(stop)
        self._entry.async_on_unload(self._async_stop_retry)

    async def async_follow(self) -> None:
        """Have the home's present URL called; what keeps it from that is shown.

        Polling finds what no callback brings meanwhile.
        """
        self.health.async_enter_mode(self._data.mode)
        if not self._data.polls:
            await self._async_follow_address()
        await self.voice.async_follow()

    async def _async_follow_address(self) -> None:
        try:
            await self._async_register()
        except CloudAwayError:
            _LOGGER.debug("Home Assistant Cloud gives no URL now")
            self._async_try_again()
        except NoPublicUrlError:
            self._async_show_homeless()
        except SmsError as err:
            self.health.async_show_error(self._line.adapter.name, err)
            if isinstance(err, ProviderUnavailableError):
                self._async_try_again()

    async def async_claim(self, *, replace: bool = False) -> None:
        """Register the home's present URL; raises what keeps it from that.

        One at a time: of two addresses in quick succession, the last one counts.
        """
        async with self._lock:
            url = await async_callback_url(self._hass, self._data.webhook_id)
            finding = await self.registration.claim(
                url, self._async_remember, replace=replace
            )
            self._async_keep(url)
        self.health.async_note_address()
        self.health.async_show_finding(finding)

    async def async_inspect(self) -> None:
        """Notice what was changed at the provider, without changing it back.

        It may have been changed on purpose, so a person decides.
        """
        data = self._data
        url = data.callback_url
        if not data.is_automatic or not url or self._lock.locked():
            return
        await self.async_find(url)
        await self.voice.async_inspect()

    async def async_find(self, url: str) -> Finding:
        """Return what stands at the provider, and show it where we have put a URL there."""
        finding = await self.registration.inspect(url)
        if self._data.is_automatic:
            self.health.async_show_finding(finding)
        return finding

    @callback
    def async_accept_address(self, url: str) -> None:
        """Note that a person has pasted the home's present URL at the provider."""
        self._async_keep(url)
        self.health.async_note_address()

    async def _async_register(self) -> None:
        if self._data.is_automatic:
            await self.async_claim()
            return
        url = await async_callback_url(self._hass, self._data.webhook_id)
        self.health.async_note_address()
        if url != self._data.callback_url:
            self.health.async_raise(Problem.ADDRESS_CHANGED, callback_url=url)

    @callback
    def _async_keep(self, url: str) -> None:
        self._line.callback_url = url
        self._async_write(replace(self._data, callback_url=url))

    @callback
    def _async_remember(self, previous: CallbackUrls) -> None:
        self._async_write(replace(self._data, previous_callbacks=previous))

    @callback
    def _async_write(self, data: EntryData) -> None:
        self._hass.config_entries.async_update_entry(self._entry, data=data.as_dict())

    @callback
    def _async_moved(self) -> None:
        """Look at the address anew: most changes are of something else."""
        self._entry.async_create_background_task(
            self._hass, self._async_follow_if_moved(), f"{DOMAIN} address"
        )

    async def _async_follow_if_moved(self) -> None:
        with suppress(NoPublicUrlError):
            url = await async_callback_url(self._hass, self._data.webhook_id)
            if url == self._data.callback_url:
                self.health.async_note_address()
                return
        await self.async_follow()

    @callback
    def _async_try_again(self) -> None:
        self._async_stop_retry()

        @callback
        def follow(_: datetime) -> None:
            self._cancel_retry = None
            # It ends with the number, which must not be called any more then.
            self._entry.async_create_background_task(
                self._hass, self.async_follow(), f"{DOMAIN} address"
            )

        job = HassJob(follow, "registration", cancel_on_shutdown=True)
        self._cancel_retry = async_call_later(self._hass, _RETRY_AFTER, job)

    @callback
    def _async_stop_retry(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    @callback
    def _async_show_homeless(self) -> None:
        _LOGGER.warning(
            "This home has no external URL any more, so %s cannot call it. Set one in"
            " the network settings",
            self._line.adapter.name,
        )
        self.health.async_raise(Problem.NO_PUBLIC_URL)


async def async_release_callbacks(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> None:
    """Take our URL back from the provider, and put back what stood there before."""
    await async_release_voice(hass, entry)
    data = EntryData.of(entry)
    if data.callback_url is None or not data.has_put_url:
        return
    successor = async_find_successor(hass, entry)
    try:
        adapter = await async_create_adapter(hass, data.provider, data.credentials)
        await _registration(hass, entry, adapter).release(
            data.callback_url,
            previous=data.previous_callbacks,
            successor=EntryData.of(successor).callback_url if successor else None,
        )
    except SmsError as err:
        _LOGGER.warning(
            "The callback URL could not be removed (%s): clear it in the console of %s",
            err.code,
            data.provider,
        )
    if successor and data.previous_callbacks:
        # Its keys may have been renewed while the provider was asked.
        theirs = EntryData.of(successor)
        kept = theirs.previous_callbacks or data.previous_callbacks
        hass.config_entries.async_update_entry(
            successor, data=replace(theirs, previous_callbacks=kept).as_dict()
        )


def _registration(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, adapter: SmsAdapter
) -> CallbackRegistration:
    data = EntryData.of(entry)
    own = async_own_marks(hass, data.account)
    return CallbackRegistration(adapter=adapter, number=data.number, own=own)
