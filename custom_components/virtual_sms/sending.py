"""Send a text to one or many: what the notify action and our own action share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
import sqlite3
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .adapters.errors import MessageRejectedError, ProviderUnavailableError, SmsError
from .adapters.models import OutboundMessage, RejectReason
from .addressing import Recipient, async_address
from .bus import describe_cost
from .const import DOMAIN, OPTION_RETRY_FOR
from .core.limits import LimitReachedError
from .core.outcome import Outcome
from .core.phone_numbers import InvalidNumberError
from .core.simplify import simplify
from .entry_data import EntryData
from .error_messages import (
    AddressError,
    Failure,
    explain,
    refuse,
    say,
    wants_new_credentials,
)
from .flows.schemas import DEFAULT_RETRY_FOR
from .limits import LIMITED, async_follow_limits, async_get_allowance, simplifies
from .runtime import VirtualSmsConfigEntry
from .store.database import DatabaseClosedError

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

ATTR_MEDIA = "media"
MEDIA_SCHEMA = vol.All(cv.ensure_list, [cv.string])
"""Web addresses of files to send along, one or many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """A text to send, as a person or an automation wrote it."""

    recipients: Sequence[object] = field(default=(), repr=False)
    contacts: Sequence[str] = field(default=(), repr=False)
    text: str = field(repr=False)
    title: str | None = field(default=None, repr=False)
    media: Sequence[str] = field(default=(), repr=False)
    retry_for: timedelta | None = None
    max_segments: int | None = None
    simplify: bool | None = None
    is_critical: bool = False

    @property
    def whole_text(self) -> str:
        """Return the text as it travels, under its title."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A recipient who gets nothing, and why."""

    sentence: str = field(repr=False)
    reason: str = RejectReason.OTHER.value
    is_bad_input: bool = False
    is_named: bool = False
    """The sentence says whom it is about."""

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
        return {"messages": [_describe(*each) for each in self.results]}

    def raise_for_failures(self, *, answered: bool) -> None:
        """Raise when nobody got it, or someone did not and no response tells."""
        failure = explain_failures(self.results, answered=answered)
        if failure is None:
            return
        kind, details = failure
        if self._is_limited:
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

    @property
    def _is_limited(self) -> bool:
        """Say whether limits alone keep messages back."""
        failed = [each for _, each in self.results if isinstance(each, Failed)]
        return all(each.reason == LIMITED for each in failed)


def explain_failures(
    results: Sequence[tuple[Recipient, object]], *, answered: bool
) -> tuple[type[HomeAssistantError], str] | None:
    """Return the kind of exception to raise, and who gets nothing and why.

    None where nothing failed, or a response tells of it.
    """
    failed = [(to, each) for to, each in results if isinstance(each, Failed)]
    if not failed or (answered and len(failed) < len(results)):
        return None
    bad_input = all(each.is_bad_input for _, each in failed)
    kind = ServiceValidationError if bad_input else HomeAssistantError
    return kind, "; ".join(each.explain(to.name) for to, each in failed)


async def async_send(
    hass: HomeAssistant, line: str | None, request: SendRequest
) -> Report:
    """Send a request to each of its recipients once; `line` texts phone numbers.

    Raises before anything is sent when the request itself cannot be.
    """

    async def use(
        entry: VirtualSmsConfigEntry, recipients: Sequence[Recipient]
    ) -> LineResults[Outcome]:
        return await _async_send_by(hass, entry, recipients, request)

    recipients = async_address(hass, line, request.recipients, request.contacts)
    return Report(await async_share_out(hass, recipients, use))


async def async_share_out[T](
    hass: HomeAssistant, recipients: Sequence[Recipient], use: Use[T]
) -> list[tuple[Recipient, T | Failed]]:
    """Have each line do something for its own recipients, all at the same time.

    Raises before anything is done when nobody is named, or when the only line cannot.
    """
    by_line = group_by_line(recipients)
    results = await asyncio.gather(
        *(_async_try(hass, line, some, use) for line, some in by_line.items())
    )
    refused = [each for each in results if isinstance(each, HomeAssistantError)]
    if refused and len({each.line for each in recipients}) == 1:
        raise refused[0]
    by_entry = dict(zip(by_line, results, strict=True))
    return [(each, _conclude(hass, each, by_entry)) for each in recipients]


def group_by_line(recipients: Sequence[Recipient]) -> dict[str, list[Recipient]]:
    """Return who can be reached, by the line that does it; raises if nobody is named."""
    if not recipients:
        raise refuse_request("no_recipient")
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
        is_bad_input = isinstance(result, ServiceValidationError)
        return Failed(sentence=say(hass, result), is_bad_input=is_bad_input)
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
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
    request: SendRequest,
) -> LineResults[Outcome]:
    """Have a line send to its recipients, and return what became of each."""
    messages = _compose(entry, recipients, request)
    outcomes = await _async_hand_over(hass, entry, messages, request)
    errors = {to: each.error for to, each in outcomes.items() if each.error}
    return {**outcomes, **fail_all(hass, entry, errors)}


def fail_all(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, errors: Mapping[str, SmsError]
) -> dict[str, Failed]:
    """Say why recipients of a line get nothing, and ask for what would help."""
    if any(wants_new_credentials(error) for error in errors.values()):
        entry.async_start_reauth(hass)
    provider = EntryData.of(entry).provider
    return {to: fail(hass, provider, error) for to, error in errors.items()}


def get_loaded(hass: HomeAssistant, line: str) -> VirtualSmsConfigEntry:
    """Return the entry of a line that is at work; raises where it is not."""
    entry: VirtualSmsConfigEntry = hass.config_entries.async_get_known_entry(line)
    if entry.state is not ConfigEntryState.LOADED:
        raise trouble("entry_not_loaded")
    return entry


def fail(hass: HomeAssistant, provider: str, error: Failure) -> Failed:
    """Return what is said of a recipient who gets nothing."""
    is_bad_input = isinstance(error, AddressError)
    return Failed(
        sentence=explain(hass, provider, error),
        reason=name_reason(error),
        is_bad_input=is_bad_input or _reason(error) is RejectReason.INVALID_NUMBER,
        is_named=isinstance(error, AddressError | InvalidNumberError),
    )


def _compose(
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
    request: SendRequest,
) -> list[OutboundMessage]:
    text = write_text(entry, request)
    messages = [compose(entry, each, text, request) for each in recipients]
    for each in messages:
        check_length(each.segments, request.max_segments)
    return messages


def compose(
    entry: VirtualSmsConfigEntry, recipient: Recipient, text: str, request: SendRequest
) -> OutboundMessage:
    """Make the message to one of them; raises what the provider cannot express."""
    contact = recipient.contact
    known = contact.addressee.write() if contact else None
    outbox = entry.runtime_data.gateway.outbox
    try:
        return outbox.compose(recipient.to, text, request.media, known)
    except SmsError as err:
        raise refuse(EntryData.of(entry).provider, err) from err


def write_text(entry: VirtualSmsConfigEntry, request: SendRequest) -> str:
    """Return a text as a number sends it."""
    plain = simplifies(entry, asked=request.simplify)
    return simplify(request.whole_text) if plain else request.whole_text


def check_length(segments: int, most: int | None) -> None:
    """Refuse a text that takes more segments than the caller wants to pay for."""
    if most is not None and segments > most:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_segments",
            translation_placeholders={"segments": str(segments), "most": str(most)},
        )


async def _async_hand_over(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    messages: Sequence[OutboundMessage],
    request: SendRequest,
) -> dict[str, Outcome]:
    """Give the messages to the gateway, and return their outcomes by recipient."""
    retry_window = request.retry_for
    if retry_window is None:
        minutes = entry.options.get(OPTION_RETRY_FOR, DEFAULT_RETRY_FOR)
        retry_window = timedelta(minutes=minutes)
    gateway, is_critical = entry.runtime_data.gateway, request.is_critical
    allowance = async_get_allowance(entry, is_critical=is_critical)
    with explained():
        outcomes = await gateway.send(messages, retry_window, allowance)
    errors = [outcome.error for outcome in outcomes]
    async_follow_limits(hass, entry, errors, is_critical=is_critical)
    return {outcome.message.recipient: outcome for outcome in outcomes}


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a store raises into what a person understands."""
    try:
        yield
    except DatabaseClosedError as err:
        raise trouble("entry_not_loaded") from err
    except sqlite3.Error as err:
        raise trouble("storage_failed") from err


def trouble(key: str) -> HomeAssistantError:
    """Return the exception for what keeps a number from working now."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key)


def refuse_request(key: str) -> ServiceValidationError:
    """Return the exception for a request that cannot be."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


def describe_recipient(recipient: Recipient) -> JsonObjectType:
    """Return what a response says of who somebody is."""
    contact = recipient.contact
    return {
        "to": recipient.to,
        "line": recipient.line,
        "contact": contact.name if contact else None,
    }


def _describe(recipient: Recipient, result: Outcome | Failed) -> JsonObjectType:
    where = describe_recipient(recipient)
    if isinstance(result, Failed):
        return {**where, **result.describe()}
    return {
        "message_id": result.message.message_id,
        "provider_id": result.provider_id,
        **where,
        "status": result.status.value,
        "segments": result.message.segments,
        "encoding": result.message.encoding.value,
        "cost": describe_cost(result.cost),
    }


def name_reason(err: Failure) -> str:
    """Return the reason that a response gives."""
    return LIMITED if isinstance(err, LimitReachedError) else _reason(err).value


def _reason(err: Failure) -> RejectReason:
    """Give the reason that the status event of the same message gives."""
    match err:
        case InvalidNumberError():
            return RejectReason.INVALID_NUMBER
        case MessageRejectedError(reason=reason):
            return reason
        case ProviderUnavailableError():
            return RejectReason.EXPIRED
    return RejectReason.OTHER
