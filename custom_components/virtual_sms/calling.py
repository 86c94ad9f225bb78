"""Call one or many people with a text, and wait for what becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonObjectType

from .adapters.call_models import CallState, KeyRequest, OutboundCall, Speech
from .adapters.errors import SmsError
from .adapters.models import Capability
from .bus import EventData, async_listen
from .const import DOMAIN
from .core.calls import CallOutcome
from .entry_data import EntryData
from .error_messages import refuse, wants_new_credentials
from .runtime import VirtualSmsConfigEntry
from .sending import Failed, explain_failures, fail, read_recipients, trouble
from .spoken import async_load_phrases
from .store.changes import CallChanged, Change
from .store.database import DatabaseClosedError


class WaitFor(StrEnum):
    """What an action waits for: that a call is taken, is answered, is acknowledged."""

    ACCEPTED = "accepted"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"

    def is_reached(self, state: CallState) -> bool:
        """Say whether there is nothing more to wait for."""
        return state.is_final or state.rank >= _LEVELS[self].rank


_LEVELS: Mapping[WaitFor, CallState] = {
    WaitFor.ACCEPTED: CallState.QUEUED,
    WaitFor.ANSWERED: CallState.ANSWERED,
    WaitFor.ACKNOWLEDGED: CallState.ACKNOWLEDGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A text to be spoken, as a person or an automation wrote it."""

    recipients: Sequence[object] = field(repr=False)
    text: str = field(repr=False)
    repeat: int
    digit: str | None
    wait_for: WaitFor
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Somebody who was called, and where that stands."""

    outcome: CallOutcome
    change: CallChanged | None = field(default=None, repr=False)

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        call, change = self.outcome.call, self.change
        return {
            "call_id": call.call_id,
            "provider_id": self.outcome.provider_id,
            "to": call.recipient,
            "state": (change or self.outcome).state.value,
            "digits": change.digits if change else None,
            "duration": change.duration if change else None,
        }


@dataclass(frozen=True, slots=True)
class CallReport:
    """What has become of a request, person by person."""

    results: Sequence[Called | Failed]

    def describe(self) -> JsonObjectType:
        """Return the response of the action."""
        return {"calls": [each.describe() for each in self.results]}

    def raise_for_failures(self, *, answered: bool) -> None:
        """Raise when nobody is called, or someone is not and no response tells."""
        failed = [each for each in self.results if isinstance(each, Failed)]
        if failed and not (answered and len(failed) < len(self.results)):
            kind, details = explain_failures(failed)
            raise kind(
                translation_domain=DOMAIN,
                translation_key="not_called",
                translation_placeholders={"details": details},
            )


class CallWatch:
    """Hears how calls go on, from before they are made."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Listen to a number."""
        self._changes: dict[str, CallChanged] = {}
        self._woken = asyncio.Event()
        self.stop = async_listen(hass, entry.entry_id, self._async_handle)

    def get(self, call_id: str) -> CallChanged | None:
        """Return how a call last changed."""
        return self._changes.get(call_id)

    async def wait(self, outcomes: Sequence[CallOutcome], request: CallRequest) -> None:
        """Wait until all calls are as far as wanted or have ended, not for ever."""
        wait_for = request.wait_for
        try:
            async with asyncio.timeout(request.timeout.total_seconds()):
                while not all(self._is_reached(each, wait_for) for each in outcomes):
                    self._woken.clear()
                    await self._woken.wait()
        except TimeoutError:
            return

    def _is_reached(self, outcome: CallOutcome, wait_for: WaitFor) -> bool:
        change = self.get(outcome.call.call_id)
        return wait_for.is_reached((change or outcome).state)

    @callback
    def _async_handle(
        self, _entry: VirtualSmsConfigEntry, change: Change, _data: EventData
    ) -> None:
        if isinstance(change, CallChanged):
            self._changes[change.call_id] = change
            self._woken.set()


async def async_call(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, request: CallRequest
) -> CallReport:
    """Call each recipient once; raises before anybody is called if that cannot be."""
    _check(entry, request)
    recipients = read_recipients(hass, request.recipients)
    numbers = [to for to, error in recipients.items() if error is None]
    calls = await _async_compose(hass, entry, numbers, request)
    watch = CallWatch(hass, entry)
    try:
        outcomes = await _async_place(entry, calls)
        await watch.wait(outcomes, request)
    finally:
        watch.stop()
    called = {
        each.call.recipient: Called(outcome=each, change=watch.get(each.call.call_id))
        for each in outcomes
    }
    failures = {to: error for to, error in recipients.items() if error is not None}
    failures |= {each.call.recipient: each.error for each in outcomes if each.error}
    if any(wants_new_credentials(error) for error in failures.values()):
        entry.async_start_reauth(hass)
    provider = EntryData.of(entry).provider
    return CallReport(
        [
            fail(hass, provider, to, failures[to]) if to in failures else called[to]
            for to in recipients
        ]
    )


def _check(entry: VirtualSmsConfigEntry, request: CallRequest) -> None:
    """Refuse what cannot be, whoever is to be called."""
    line = entry.runtime_data.gateway.line
    if Capability.CALLS not in line.adapter.capabilities:
        raise _refusal("calls_unsupported")
    if not request.text.strip():
        raise _refusal("call_empty")
    if request.digit is None and request.wait_for is WaitFor.ACKNOWLEDGED:
        raise _refusal("call_needs_key")
    if request.digit is not None and line.callback_url is None:
        raise _refusal("call_key_needs_callbacks")


def _refusal(key: str) -> ServiceValidationError:
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


async def _async_compose(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    numbers: Sequence[str],
    request: CallRequest,
) -> list[OutboundCall]:
    language = hass.config.language
    speech = Speech(text=request.text, language=language, repeat=request.repeat)
    key = await _async_create_key(hass, language, request.digit)
    calls = entry.runtime_data.gateway.calls
    try:
        return [calls.compose(number, speech, key) for number in numbers]
    except SmsError as err:
        raise refuse(EntryData.of(entry).provider, err) from err


async def _async_create_key(
    hass: HomeAssistant, language: str, digit: str | None
) -> KeyRequest | None:
    if digit is None:
        return None
    phrases = await async_load_phrases(hass, language)
    prompt = phrases.prompt.format(digit=digit)
    return KeyRequest(digit=digit, prompt=prompt, thanks=phrases.thanks)


async def _async_place(
    entry: VirtualSmsConfigEntry, calls: Sequence[OutboundCall]
) -> list[CallOutcome]:
    if not calls:
        return []
    try:
        return await entry.runtime_data.gateway.call(calls)
    except DatabaseClosedError as err:
        raise trouble("entry_not_loaded") from err
    except sqlite3.Error as err:
        raise trouble("storage_failed") from err
