"""Keep our callback URL at the provider for as long as an entry exists."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..account_entries import async_other_entries, async_own_marks
from ..adapters import ADAPTERS
from ..adapters.base import SmsAdapter
from ..adapters.errors import ProviderUnavailableError, SmsError
from ..adapters.models import CallbackUrls, Capability
from ..const import DOMAIN, MODE_AUTOMATIC, MODE_MANUAL, MODE_POLLING
from ..core.callback_urls import (
    CallbackRegistration,
    CallbacksOverruledError,
    Finding,
    ForeignCallbackError,
    Standing,
)
from ..core.line import Line
from ..entry_data import EntryData
from ..error_messages import async_create_adapter
from ..issues import Problem, async_clear_issue, async_has_issue, async_raise_issue
from .public_url import (
    CloudAwayError,
    NoPublicUrlError,
    async_callback_url,
    async_has_url,
    async_listen_to_address,
)

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_RETRY_AFTER = timedelta(minutes=10)
_CALLBACK_PROBLEMS = (
    Problem.CALLBACK_FOREIGN,
    Problem.CALLBACK_MISSING,
    Problem.CALLBACK_OVERRULED,
    Problem.NO_PUBLIC_URL,
)
_NOT_IN_MODE = {
    MODE_AUTOMATIC: (Problem.ADDRESS_CHANGED,),
    MODE_MANUAL: (
        Problem.CALLBACK_FOREIGN,
        Problem.CALLBACK_MISSING,
        Problem.CALLBACK_OVERRULED,
        Problem.CALLBACK_PERHAPS_OVERRULED,
    ),
    MODE_POLLING: (
        *_CALLBACK_PROBLEMS,
        Problem.ADDRESS_CHANGED,
        Problem.CALLBACK_PERHAPS_OVERRULED,
        Problem.RETURN_PATH,
    ),
}
"""What may have been wrong in another mode, and means nothing in this one."""


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
        self._is_proven = False
        self.accepted_at = _LONG_AGO
        """When a callback last got here and passed the check."""
        self.doubted_at = _LONG_AGO
        """When the newest call failed that a person was told of."""

    @property
    def registration(self) -> CallbackRegistration:
        """Return the claim on the number's URLs, as the entries stand now."""
        return _registration(self._hass, self._entry, self._line.adapter)

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

    @callback
    def async_has_address(self) -> bool:
        """Say whether this home can be reached at all."""
        return async_has_url(self._hass)

    async def async_follow(self) -> None:
        """Have the home's present URL called; what keeps it from that is shown.

        Polling finds what no callback brings meanwhile.
        """
        self._async_clear(*_NOT_IN_MODE[self._data.mode])
        if self._data.polls:
            return
        try:
            await self._async_register()
        except CloudAwayError:
            _LOGGER.debug("Home Assistant Cloud gives no URL now")
            self._async_try_again()
        except NoPublicUrlError:
            self._async_show_homeless()
        except SmsError as err:
            self._async_show(err)

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
        self._async_clear(Problem.NO_PUBLIC_URL)
        self._async_report(finding)

    async def async_inspect(self) -> None:
        """Notice what was changed at the provider, without changing it back.

        It may have been changed on purpose, so a person decides.
        """
        data = self._data
        url = data.callback_url
        if not data.is_automatic or not url or self._lock.locked():
            return
        self._async_report(await self.registration.inspect(url))

    @callback
    def async_note_accepted(self) -> None:
        """Note that the way back works at this moment."""
        self.accepted_at = dt_util.utcnow()

    @callback
    def async_note_callback(self) -> None:
        """Note that a message came by callback: nothing overrules us or is in the way."""
        self._is_proven = True
        self._async_clear(Problem.CALLBACK_PERHAPS_OVERRULED, Problem.RETURN_PATH)

    @callback
    def async_has_problem(self) -> bool:
        """Say whether it is known why callbacks do not come."""
        return any(
            async_has_issue(self._hass, self._entry, problem)
            for problem in (*_CALLBACK_PROBLEMS, Problem.ADDRESS_CHANGED)
        )

    @callback
    def async_accept_address(self, url: str) -> None:
        """Note that a person has pasted the home's present URL at the provider."""
        self._async_keep(url)
        self._async_clear(Problem.ADDRESS_CHANGED)

    async def _async_register(self) -> None:
        if self._data.is_automatic:
            await self.async_claim()
            return
        url = await async_callback_url(self._hass, self._data.webhook_id)
        self._async_clear(Problem.NO_PUBLIC_URL, Problem.ADDRESS_CHANGED)
        if url != self._data.callback_url:
            self._async_raise(Problem.ADDRESS_CHANGED, callback_url=url)

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
                self._async_clear(Problem.NO_PUBLIC_URL, Problem.ADDRESS_CHANGED)
                return
        await self.async_follow()

    @callback
    def _async_try_again(self) -> None:
        self._async_stop_retry()

        async def follow(_: datetime) -> None:
            self._cancel_retry = None
            await self.async_follow()

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
        self._async_raise(Problem.NO_PUBLIC_URL)

    @callback
    def _async_show(self, err: SmsError) -> None:
        """Show what a person can mend; try again later what mends itself."""
        _LOGGER.warning(
            "The callback URL at %s could not be checked: %s",
            self._line.adapter.name,
            err.code,
        )
        match err:
            case ForeignCallbackError():
                self._async_raise(Problem.CALLBACK_FOREIGN, foreign_url=err.url)
            case CallbacksOverruledError():
                self._async_raise(Problem.CALLBACK_OVERRULED)
            case ProviderUnavailableError():
                self._async_try_again()

    @callback
    def _async_report(self, finding: Finding) -> None:
        """Show what was found, and take back what was not found again."""
        overruled = bool(finding.overruled_by)
        standing = Standing.OURS if overruled else finding.standing
        found = {
            Problem.CALLBACK_FOREIGN: standing is Standing.FOREIGN,
            Problem.CALLBACK_MISSING: standing is Standing.MISSING,
            Problem.CALLBACK_OVERRULED: overruled,
            Problem.CALLBACK_PERHAPS_OVERRULED: not self._is_proven
            and bool(finding.perhaps_overruled_by),
        }
        for problem, is_there in found.items():
            if is_there:
                self._async_raise(problem, foreign_url=finding.foreign_url or "")
            else:
                self._async_clear(problem)

    @callback
    def _async_raise(self, problem: Problem, **placeholders: str) -> None:
        async_raise_issue(self._hass, self._entry, problem, **placeholders)

    @callback
    def _async_clear(self, *problems: Problem) -> None:
        async_clear_issue(self._hass, self._entry, *problems)


async def async_release_callbacks(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> None:
    """Take our URL back from the provider, and put back what stood there before."""
    data = EntryData.of(entry)
    if data.callback_url is None or not data.is_automatic:
        return
    successor = _find_successor(hass, entry)
    theirs = EntryData.of(successor) if successor else None
    try:
        adapter = await async_create_adapter(hass, data.provider, data.credentials)
        await _registration(hass, entry, adapter).release(
            data.callback_url,
            previous=data.previous_callbacks,
            successor=theirs.callback_url if theirs else None,
        )
    except SmsError as err:
        _LOGGER.warning(
            "The callback URL could not be removed (%s): clear it in the console of %s",
            err.code,
            data.provider,
        )
    if theirs and successor and data.previous_callbacks:
        kept = theirs.previous_callbacks or data.previous_callbacks
        hass.config_entries.async_update_entry(
            successor, data=replace(theirs, previous_callbacks=kept).as_dict()
        )


def _find_successor(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> VirtualSmsConfigEntry | None:
    """Return the entry that needs the account's callbacks after this one.

    Where each number has a URL of its own, there is nothing to inherit.
    """
    if not _shares_urls(entry):
        return None
    return next(
        (
            other
            for other in async_other_entries(hass, entry)
            if other.disabled_by is None
            and (data := EntryData.of(other)).is_automatic
            and data.callback_url is not None
        ),
        None,
    )


def _shares_urls(entry: VirtualSmsConfigEntry) -> bool:
    adapter = ADAPTERS[EntryData.of(entry).provider]
    return Capability.SHARED_CALLBACK_URLS in adapter.capabilities


def _registration(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, adapter: SmsAdapter
) -> CallbackRegistration:
    data = EntryData.of(entry)
    own = async_own_marks(hass, data.account)
    return CallbackRegistration(adapter=adapter, number=data.number, own=own)
