"""Call one or many people with a text, and wait for what becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JsonObjectType

from ..adapters.call_models import CallState, KeyRequest, OutboundCall, Speech
from ..adapters.errors import SmsError
from ..adapters.models import Capability
from ..bus import EventData, async_listen
from ..callbacks.spoken import async_load_phrases
from ..const import DOMAIN
from ..core.calls import CallOutcome
from ..entry_data import EntryData
from ..error_messages import refuse
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import CallChanged, Change
from .addressing import Recipient, async_address
from .limits import LIMITED, async_follow_limits, async_get_allowance
from .sending import (
    Failed,
    LineResults,
    async_share_out,
    async_use_line,
    describe_recipient,
    explain_failures,
    fail_all,
    find_failures,
    get_loaded,
    raise_not_sent,
)
from .sending_errors import explained, refuse_request


class WaitForCall(StrEnum):
    """What an action waits for: that a call is taken, is answered, is acknowledged."""

    ACCEPTED = "accepted"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"

    def is_reached(self, state: CallState) -> bool:
        """Say whether there is nothing more to wait for."""
        return state.is_final or state.rank >= _LEVELS[self].rank


_LEVELS: Mapping[WaitForCall, CallState] = {
    WaitForCall.ACCEPTED: CallState.QUEUED,
    WaitForCall.ANSWERED: CallState.ANSWERED,
    WaitForCall.ACKNOWLEDGED: CallState.ACKNOWLEDGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A text to be spoken, as a person or an automation wrote it."""

    recipients: Sequence[object] = field(default=(), repr=False)
    contacts: Sequence[str] = field(default=(), repr=False)
    text: str = field(repr=False)
    repeat: int
    digit: str | None
    wait_for: WaitForCall
    timeout: timedelta
    is_critical: bool = False
    planned_id: str | None = None
    """The id of the only call, if it was chosen before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Somebody who was called, and where that stands."""

    outcome: CallOutcome
    change: CallChanged | None = field(default=None, repr=False)

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        change = self.change
        return {
            "call_id": self.outcome.call.call_id,
            "provider_id": self.outcome.provider_id,
            "state": (change or self.outcome).state.value,
            "digits": change.digits if change else None,
            "duration": change.duration if change else None,
        }


@dataclass(frozen=True, slots=True)
class CallReport:
    """What has become of a request, person by person."""

    results: Sequence[tuple[Recipient, Called | Failed]]

    def describe(self) -> JsonObjectType:
        """Return the response of the action."""
        return {
            "calls": [
                {**describe_recipient(to), **each.describe()}
                for to, each in self.results
            ]
        }

    def raise_for_failures(self, *, answered: bool) -> None:
        """Raise when nobody is called, or someone is not and no response tells."""
        if failed := find_failures(self.results, answered=answered):
            if all(each.reason == LIMITED for _, each in failed):
                raise_not_sent(failed)
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

    def _is_reached(self, outcome: CallOutcome, wait_for: WaitForCall) -> bool:
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
    hass: HomeAssistant, line: str | None, request: CallRequest
) -> CallReport:
    """Call each recipient once; `line` calls phone numbers.

    Raises before anybody is called when the request itself cannot be.
    """
    if not request.text.strip():
        raise refuse_request("call_empty")
    if request.digit is None and request.wait_for is WaitForCall.ACKNOWLEDGED:
        raise refuse_request("call_needs_key")

    recipients = async_address(hass, line, request.recipients, request.contacts)
    use = partial(_async_call_by, hass, request)
    return CallReport(await async_share_out(hass, recipients, use))


async def async_call_to(
    hass: HomeAssistant, recipient: Recipient, request: CallRequest
) -> Called | Failed:
    """Call one recipient by their line, and say what became of it."""
    use = partial(_async_call_by, hass, request)
    return await async_use_line(hass, recipient, use)


async def async_can_call(
    hass: HomeAssistant, recipient: Recipient, request: CallRequest
) -> bool:
    """Say whether the line of somebody is able to make such a call."""
    try:
        entry = get_loaded(hass, str(recipient.line))
        await _async_compose(hass, entry, [recipient], request)
    except HomeAssistantError:
        return False
    return True


async def _async_call_by(
    hass: HomeAssistant,
    request: CallRequest,
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
) -> LineResults[Called]:
    """Have a line call its recipients, and return what became of each."""
    calls = await _async_compose(hass, entry, recipients, request)
    watch = CallWatch(hass, entry)
    try:
        outcomes = await _async_place(hass, entry, calls, request)
        await watch.wait(outcomes, request)
    finally:
        watch.stop()
    called = {
        each.call.recipient: Called(outcome=each, change=watch.get(each.call.call_id))
        for each in outcomes
    }
    errors = {each.call.recipient: each.error for each in outcomes if each.error}
    return {**called, **fail_all(hass, entry, errors)}


def _check(entry: VirtualSmsConfigEntry, request: CallRequest) -> None:
    """Refuse what this line cannot do, whoever is to be called."""
    line = entry.runtime_data.gateway.line
    if Capability.CALLS not in line.adapter.capabilities:
        raise refuse_request("calls_unsupported")
    if request.digit is not None and line.callback_url is None:
        raise refuse_request("call_key_needs_callbacks")


async def _async_compose(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
    request: CallRequest,
) -> list[OutboundCall]:
    """Make the calls; raises what the line or its provider cannot do."""
    _check(entry, request)
    calls = entry.runtime_data.gateway.calls
    composed = []
    for each in recipients:
        contact = each.contact
        language = (contact and contact.language) or hass.config.language
        speech = Speech(text=request.text, language=language, repeat=request.repeat)
        key = await _async_create_key(hass, language, request.digit)
        stored = contact.addressee.write() if contact else None
        try:
            composed.append(
                calls.compose(each.to, speech, key, stored, request.planned_id)
            )
        except SmsError as err:
            raise refuse(EntryData.of(entry).provider, err) from err
    return composed


async def _async_create_key(
    hass: HomeAssistant, language: str, digit: str | None
) -> KeyRequest | None:
    if digit is None:
        return None
    phrases = await async_load_phrases(hass, language)
    prompt = phrases.prompt.format(digit=digit)
    return KeyRequest(digit=digit, prompt=prompt, thanks=phrases.thanks)


async def _async_place(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    calls: Sequence[OutboundCall],
    request: CallRequest,
) -> list[CallOutcome]:
    get_loaded(hass, entry.entry_id)
    is_critical = request.is_critical
    allowance = async_get_allowance(entry, is_critical=is_critical)
    with explained():
        outcomes = await entry.runtime_data.gateway.call(calls, allowance)
    errors = [outcome.error for outcome in outcomes]
    async_follow_limits(hass, entry, errors, is_critical=is_critical)
    return outcomes
