"""Answer who calls a number, if its owner wants that, and leave its URL alone if not."""

from dataclasses import replace as replace_data
import logging
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ..account_entries import async_own_marks
from ..adapters.base import SmsAdapter
from ..adapters.call_models import Speech
from ..adapters.errors import SmsError
from ..adapters.models import CallbackUrls, Capability
from ..adapters.plain_text import clean
from ..const import (
    CALLS_IGNORE,
    CALLS_REJECT,
    OPTION_GREETING,
    OPTION_INCOMING_CALLS,
)
from ..core.callback_urls import (
    CallbackRegistration,
    CallbacksOverruledError,
    Finding,
    ForeignCallbackError,
    Standing,
    VoicePlace,
)
from ..core.calls import Greeting
from ..core.line import Line
from ..entry_data import EntryData
from ..error_messages import async_create_adapter
from ..issues import Problem, async_clear_issue, async_raise_issue, async_set_issue
from .spoken import async_load_phrases

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_PROBLEMS = (Problem.VOICE_FOREIGN, Problem.VOICE_MISSING, Problem.VOICE_OVERRULED)


class VoiceRegistrar:
    """Have the provider ask this home when somebody calls, while its owner wants that."""

    def __init__(
        self, hass: HomeAssistant, entry: VirtualSmsConfigEntry, line: Line
    ) -> None:
        """Take the number's line."""
        self._hass = hass
        self._entry = entry
        self._line = line

    @property
    def _data(self) -> EntryData:
        return EntryData.of(self._entry)

    async def async_follow(self) -> None:
        """Have the home's present URL asked; what keeps it from that is shown."""
        if not wants_calls(self._entry, self._line.adapter):
            async_clear_issue(self._hass, self._entry, *_PROBLEMS)
            await async_release_voice(self._hass, self._entry)
            return
        try:
            await self.async_claim()
        except SmsError as err:
            self._async_show_error(err)

    async def async_claim(self, *, replace: bool = False) -> None:
        """Register the home's present URL for calls; raises what keeps it from that."""
        url = self._line.callback_url
        if url is None:
            return
        registration = voice_registration(self._hass, self._entry, self._line.adapter)
        finding = await registration.claim(url, self._async_remember, replace=replace)
        self._async_write(replace_data(self._data, voice_url=url))
        self._async_show(finding)

    async def async_inspect(self) -> None:
        """Notice what was changed at the provider, without changing it back."""
        url = self._data.voice_url
        if url is not None:
            registration = voice_registration(
                self._hass, self._entry, self._line.adapter
            )
            self._async_show(await registration.inspect(url))

    @callback
    def _async_remember(self, previous: CallbackUrls) -> None:
        self._async_write(replace_data(self._data, previous_voice_url=previous.inbound))

    @callback
    def _async_write(self, data: EntryData) -> None:
        self._hass.config_entries.async_update_entry(self._entry, data=data.as_dict())

    @callback
    def _async_show(self, finding: Finding) -> None:
        """Show what was found at the provider, and take back what was not."""
        overruled = bool(finding.overruled_by)
        found = {
            Problem.VOICE_FOREIGN: finding.standing is Standing.FOREIGN,
            Problem.VOICE_MISSING: finding.standing is Standing.MISSING,
            Problem.VOICE_OVERRULED: overruled,
        }
        for problem, is_there in found.items():
            async_set_issue(
                self._hass,
                self._entry,
                problem,
                is_there=is_there and overruled is (problem is Problem.VOICE_OVERRULED),
                foreign_url=finding.foreign_url or "",
            )

    @callback
    def _async_show_error(self, err: SmsError) -> None:
        _LOGGER.warning(
            "The URL for calls at %s could not be checked: %s",
            self._line.adapter.name,
            err.code,
        )
        hass, entry = self._hass, self._entry
        match err:
            case ForeignCallbackError(url=url):
                async_raise_issue(hass, entry, Problem.VOICE_FOREIGN, foreign_url=url)
            case CallbacksOverruledError():
                async_raise_issue(hass, entry, Problem.VOICE_OVERRULED)


def wants_calls(entry: VirtualSmsConfigEntry, adapter: SmsAdapter) -> bool:
    """Say whether the URL for calls is to be ours: only a machine sets it."""
    choice = entry.options.get(OPTION_INCOMING_CALLS, CALLS_IGNORE)
    can_call = Capability.CALLS in adapter.capabilities
    return can_call and choice != CALLS_IGNORE and EntryData.of(entry).is_automatic


def voice_registration(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, adapter: SmsAdapter
) -> CallbackRegistration:
    """Return the claim on the URL for calls of a number."""
    data = EntryData.of(entry)
    own = async_own_marks(hass, data.account)
    return CallbackRegistration(
        adapter=VoicePlace(adapter), number=data.number, own=own
    )


async def async_release_voice(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> None:
    """Take our URL for calls back, and put back what stood there before.

    What we never set is not touched.
    """
    data = EntryData.of(entry)
    if data.voice_url is None:
        return
    previous = data.previous_voice_url
    try:
        adapter = await async_create_adapter(hass, data.provider, data.credentials)
        await voice_registration(hass, entry, adapter).release(
            data.voice_url,
            previous=CallbackUrls(inbound=previous) if previous else None,
            successor=None,
        )
    except SmsError as err:
        _LOGGER.warning(
            "The URL for calls could not be removed (%s): clear it in the console of %s",
            err.code,
            data.provider,
        )
        return
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        released = replace_data(
            EntryData.of(entry), voice_url=None, previous_voice_url=None
        )
        hass.config_entries.async_update_entry(entry, data=released.as_dict())


async def async_read_greeting(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> Greeting | None:
    """Return what becomes of calls to a number; None where they are none of ours."""
    choice = entry.options.get(OPTION_INCOMING_CALLS, CALLS_IGNORE)
    if choice == CALLS_IGNORE:
        return None
    if choice == CALLS_REJECT:
        return Greeting()
    language = hass.config.language
    # A control character would make all of the answer one that nobody can read.
    text = clean(entry.options.get(OPTION_GREETING, "")).strip()
    if not text:
        text = (await async_load_phrases(hass, language)).greeting
    return Greeting(speech=Speech(text=text, language=language))
