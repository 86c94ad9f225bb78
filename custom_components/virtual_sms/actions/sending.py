"""Send a text to one or many: what the notify action and our own action share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import NoReturn

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util.json import JsonObjectType

from ..adapters.errors import MessageRejectedError, SmsError
from ..adapters.models import OutboundMessage, RejectReason
from ..bus import describe_cost
from ..const import DEFAULT_RETRY_FOR, DOMAIN, OPTION_RETRY_FOR
from ..core.outcome import Outcome
from ..core.phone_numbers import InvalidNumberError
from ..entry_data import EntryData
from ..error_messages import AddressError, Failure, explain, say, wants_new_credentials
from ..lines import async_find_loaded
from ..media.outgoing import (
    Parcel,
    async_pack,
    async_take_all,
)
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import StatusChanged
from .addressing import Recipient, async_address
from .composing import compose_all
from .limits import LIMITED, async_follow_limits, async_get_allowance
from .send_request import SendRequest
from .sending_errors import explained, find_reason, name_reason, refuse_request, trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A recipient who gets nothing, and why."""

    sentence: str = field(repr=False)
    reason: str = RejectReason.OTHER.value
    is_bad_input: bool = False
    is_named: bool = False
    """The sentence says whom it is about."""
    is_unwritten: bool = False
    """It could not be written down, and so was not begun."""

    def explain(self, name: str) -> str:
        """Return the sentence with the recipient, who is named once."""
        return self.sentence if self.is_named else f"{name} - {self.sentence}"

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        return {"error": self.sentence, "reason": self.reason}


type LineResults[T] = dict[str, T | Failed]
type Use[T] = Callable[
    [VirtualSmsConfigEntry, Sequence[Recipient]], Awaitable[LineResults[T]]
]
"""Has a line do something for its recipients, and returns what became of each."""


@dataclass(frozen=True, slots=True)
class Report:
    """What has become of a request, recipient by recipient."""

    results: Sequence[tuple[Recipient, Outcome | Failed]]

    def describe(self) -> JsonObjectType:
        """Return the response of an action."""
        return {"messages": [describe_result(*each) for each in self.results]}

    def raise_for_failures(self, *, answered: bool) -> None:
        """Raise when nobody got it, or someone did not and no response tells."""
        if failed := find_failures(self.results, answered=answered):
            raise_not_sent(failed)


def find_failures(
    results: Sequence[tuple[Recipient, object]], *, answered: bool
) -> list[tuple[Recipient, Failed]]:
    """Return who gets nothing; nobody where a response tells of it."""
    failed = [(to, each) for to, each in results if isinstance(each, Failed)]
    return [] if answered and len(failed) < len(results) else failed


def explain_failures(
    failed: Sequence[tuple[Recipient, Failed]],
) -> tuple[type[HomeAssistantError], str]:
    """Return the kind of exception to raise, and who gets nothing and why."""
    is_bad_input = all(each.is_bad_input for _, each in failed)
    kind = ServiceValidationError if is_bad_input else HomeAssistantError
    return kind, "; ".join(each.explain(to.name) for to, each in failed)


def raise_not_sent(failed: Sequence[tuple[Recipient, Failed]]) -> NoReturn:
    """Raise an error that names who gets nothing, and why."""
    kind, details = explain_failures(failed)
    if all(each.reason == LIMITED for _, each in failed):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="limit_reached",
            translation_placeholders={"details": details},
        )
    raise kind(
        translation_domain=DOMAIN,
        translation_key="not_sent",
        translation_placeholders={"details": details},
    )


async def async_attach(hass: HomeAssistant, request: SendRequest) -> SendRequest:
    """Return a request with its files, which are taken once.

    Raises before anything is sent when the home has no address to serve them at.
    """
    if not request.media or request.attachments is not None:
        return request
    taken = await async_take_all(hass, request.media, request.media_as_link)
    return replace(request, attachments=taken)


async def async_send(
    hass: HomeAssistant, line: str | None, request: SendRequest
) -> Report:
    """Send a request to each of its recipients once; `line` texts phone numbers.

    Raises before anything is sent when the request itself cannot be.
    """
    request = await async_attach(hass, request)
    recipients = async_address(hass, line, request.recipients, request.contacts)
    use = partial(_async_send_by, hass, request)
    return Report(await async_share_out(hass, recipients, use))


async def async_share_out[T](
    hass: HomeAssistant, recipients: Sequence[Recipient], use: Use[T]
) -> list[tuple[Recipient, T | Failed]]:
    """Have each line do something for its own recipients, all at the same time.

    Raises before anything is done when nobody is named, or when the only line cannot.
    """
    by_line = group_by_line(recipients)
    attempts = [_async_try(hass, line, some, use) for line, some in by_line.items()]
    # Usually it is one line, which begins in this very step.
    alone = len(attempts) == 1
    results = [await attempts[0]] if alone else await asyncio.gather(*attempts)
    refused = [each for each in results if isinstance(each, HomeAssistantError)]
    if refused and len({each.line for each in recipients}) == 1:
        raise refused[0]
    by_entry = dict(zip(by_line, results, strict=True))
    return [(each, _conclude(hass, each, by_entry)) for each in recipients]


def require_recipient(recipients: Sequence[Recipient]) -> None:
    """Raise if nobody is named."""
    if not recipients:
        raise refuse_request("no_recipient")


async def async_send_to(
    hass: HomeAssistant, recipient: Recipient, request: SendRequest
) -> Outcome | Failed:
    """Send a request to one recipient by their line, and say what became of it."""
    use = partial(_async_send_by, hass, await async_attach(hass, request))
    return await async_use_line(hass, recipient, use)


async def async_use_line[T](
    hass: HomeAssistant, recipient: Recipient, use: Use[T]
) -> T | Failed:
    """Have the line of one recipient do something, and say what became of it."""
    results: dict[str, LineResults[T] | HomeAssistantError] = {}
    line = recipient.line
    if recipient.error is None and line is not None:
        results[line] = await _async_try(hass, line, [recipient], use)
    return _conclude(hass, recipient, results)


def group_by_line(recipients: Sequence[Recipient]) -> dict[str, list[Recipient]]:
    """Return who can be reached, by the line that does it; raises if nobody is named."""
    require_recipient(recipients)
    by_line: dict[str, list[Recipient]] = {}
    for each in recipients:
        if each.error is None and each.line is not None:
            by_line.setdefault(each.line, []).append(each)
    return by_line


def _conclude[T](
    hass: HomeAssistant,
    recipient: Recipient,
    results: Mapping[str, LineResults[T] | HomeAssistantError],
) -> T | Failed:
    """Say what became of a recipient, given what their line says."""
    if recipient.error is not None:
        return fail(hass, "", recipient.error)
    result = results[str(recipient.line)]
    if isinstance(result, HomeAssistantError):
        return Failed(
            sentence=say(hass, result),
            is_bad_input=isinstance(result, ServiceValidationError),
            is_unwritten=result.translation_key == "storage_failed",
        )
    return result[recipient.to]


async def _async_try[T](
    hass: HomeAssistant, line: str, recipients: Sequence[Recipient], use: Use[T]
) -> LineResults[T] | HomeAssistantError:
    """Return what keeps a line from it: the other lines do it all the same."""
    try:
        return await use(get_loaded(hass, line), recipients)
    except HomeAssistantError as err:
        return err


async def _async_send_by(
    hass: HomeAssistant,
    request: SendRequest,
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
) -> LineResults[Outcome]:
    """Have a line send to its recipients, and return what became of each."""
    parcel = await async_pack(entry, request.attachments, len(recipients))
    get_loaded(hass, entry.entry_id)
    messages = compose_all(entry, recipients, request, parcel)
    if parcel.offers:
        outcomes = await _async_send_parcel(hass, entry, messages, request, parcel)
    else:
        outcomes = await _async_hand_over(hass, entry, messages, request)
    errors = {to: each.error for to, each in outcomes.items() if each.error}
    return {**outcomes, **fail_all(hass, entry, errors)}


async def _async_send_parcel(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    messages: Sequence[OutboundMessage],
    request: SendRequest,
    parcel: Parcel,
) -> dict[str, Outcome]:
    """Send messages with files, which are served before, and for a while."""
    await parcel.async_offer(hass)
    get_loaded(hass, entry.entry_id)
    message_ids = [each.message_id for each in messages]
    with parcel.async_keeping(hass, entry, message_ids) as kept_of:
        outcomes = await _async_hand_over(hass, entry, messages, request)
        under_way = [each for each in outcomes.values() if each.error is None]
        kept_of.set_result([each.message.message_id for each in under_way])
    await parcel.async_conclude(hass, under_way, _get_retry_window(entry, request))
    return outcomes


def fail_all(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, errors: Mapping[str, SmsError]
) -> dict[str, Failed]:
    """Say why recipients of a line get nothing, and ask for what would help."""
    if not errors:
        return {}
    if any(wants_new_credentials(error) for error in errors.values()):
        entry.async_start_reauth(hass)
    provider = EntryData.of(entry).provider
    return {to: fail(hass, provider, error) for to, error in errors.items()}


def get_loaded(hass: HomeAssistant, line: str) -> VirtualSmsConfigEntry:
    """Return the entry of a line that is at work; raises where it is not.

    Whatever is waited for, it may be at rest after that, or gone.
    """
    entry = async_find_loaded(hass, line)
    if entry is None:
        raise trouble("entry_not_loaded")
    return entry


def fail(hass: HomeAssistant, provider: str, error: Failure) -> Failed:
    """Return what an error means for a recipient."""
    is_bad_input = isinstance(error, AddressError)
    return Failed(
        sentence=explain(hass, provider, error),
        reason=name_reason(error),
        is_bad_input=is_bad_input or find_reason(error) is RejectReason.INVALID_NUMBER,
        is_named=isinstance(error, AddressError | InvalidNumberError),
    )


@callback
def async_explain_end(hass: HomeAssistant, line: str, state: StatusChanged) -> Failed:
    """Say why a message that was on its way has ended badly.

    Of a number that is gone nobody knows what its provider's codes mean.
    """
    reason = state.reason or RejectReason.OTHER
    entry = hass.config_entries.async_get_entry(line)
    if entry is None:
        return fail(hass, "", MessageRejectedError(reason=reason))
    error = MessageRejectedError(reason=reason, provider_code=state.error_code)
    return fail(hass, EntryData.of(entry).provider, error)


def _get_retry_window(entry: VirtualSmsConfigEntry, request: SendRequest) -> timedelta:
    minutes = entry.options.get(OPTION_RETRY_FOR, DEFAULT_RETRY_FOR)
    asked = request.retry_for
    return timedelta(minutes=minutes) if asked is None else asked


async def _async_hand_over(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    messages: Sequence[OutboundMessage],
    request: SendRequest,
) -> dict[str, Outcome]:
    """Give the messages to the gateway, and return their outcomes by recipient."""
    retry_window = _get_retry_window(entry, request)
    gateway, is_critical = entry.runtime_data.gateway, request.is_critical
    allowance = async_get_allowance(entry, is_critical=is_critical)
    with explained():
        outcomes = await gateway.send(
            messages, retry_window, allowance, plan=request.plan
        )
    errors = [outcome.error for outcome in outcomes]
    async_follow_limits(hass, entry, errors, is_critical=is_critical)
    return {outcome.message.recipient: outcome for outcome in outcomes}


def describe_recipient(recipient: Recipient) -> JsonObjectType:
    """Return what a response says of who somebody is."""
    contact = recipient.contact
    return {
        "to": recipient.to,
        "line": recipient.line,
        "contact": contact.name if contact else None,
    }


def describe_result(recipient: Recipient, result: Outcome | Failed) -> JsonObjectType:
    """Return what a response says of a recipient."""
    where = describe_recipient(recipient)
    if isinstance(result, Failed):
        return {**where, **result.describe()}
    unremembered: JsonObjectType = {} if result.is_remembered else {"remembered": False}
    return {
        "message_id": result.message.message_id,
        "provider_id": result.provider_id,
        **where,
        "status": result.status.value,
        "segments": result.message.segments,
        "encoding": result.message.encoding.value,
        "cost": describe_cost(result.cost),
        **unremembered,
    }
