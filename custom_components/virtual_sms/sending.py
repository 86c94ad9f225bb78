"""Send a text to one or many: what the notify action and our own action share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
import sqlite3
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .adapters.errors import MessageRejectedError, ProviderUnavailableError, SmsError
from .adapters.models import OutboundMessage, RejectReason
from .adapters.plain_text import show
from .const import DOMAIN, OPTION_RETRY_FOR
from .core.outbox import Outcome
from .core.phone_numbers import InvalidNumberError, parse_number
from .entry_data import EntryData
from .error_messages import Failure, explain, refuse, wants_new_credentials
from .flows.schemas import DEFAULT_RETRY_FOR
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

    recipients: Sequence[object] = field(repr=False)
    text: str = field(repr=False)
    title: str | None = field(default=None, repr=False)
    media: Sequence[str] = field(default=(), repr=False)
    retry_for: timedelta | None = None

    @property
    def whole_text(self) -> str:
        """Return the text as it travels, under its title."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A recipient who gets nothing, and why."""

    to: str = field(repr=False)
    error: Failure
    sentence: str = field(repr=False)

    @property
    def explanation(self) -> str:
        """Return the sentence with the recipient, who is named once."""
        if self.sentence.startswith(self.to):
            return self.sentence
        return f"{self.to} - {self.sentence}"

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        reason = _reason(self.error).value
        return {"to": self.to, "error": self.sentence, "reason": reason}


@dataclass(frozen=True, slots=True)
class Report:
    """What has become of a request, recipient by recipient."""

    results: Sequence[Outcome | Failed]

    def describe(self) -> JsonObjectType:
        """Return the response of an action."""
        return {"messages": [_describe(each) for each in self.results]}

    def raise_for_failures(self, *, answered: bool) -> None:
        """Raise when nobody got it, or someone did not and no response tells."""
        failed = [each for each in self.results if isinstance(each, Failed)]
        if not failed or (answered and len(failed) < len(self.results)):
            return
        kind, details = explain_failures(failed)
        raise kind(
            translation_domain=DOMAIN,
            translation_key="not_sent",
            translation_placeholders={"details": details},
        )


def explain_failures(
    failed: Sequence[Failed],
) -> tuple[type[HomeAssistantError], str]:
    """Return the kind of exception for some failures, and who gets nothing and why."""
    bad_input = all(_is_bad_input(each.error) for each in failed)
    kind = ServiceValidationError if bad_input else HomeAssistantError
    return kind, "; ".join(each.explanation for each in failed)


async def async_send(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, request: SendRequest
) -> Report:
    """Send a request to each of its recipients once.

    Raises before anything is sent when the request itself cannot be.
    """
    recipients = read_recipients(hass, request.recipients)
    numbers = [to for to, error in recipients.items() if error is None]
    outcomes = await _async_hand_over(entry, _compose(entry, numbers, request), request)
    failures = {to: error for to, error in recipients.items() if error is not None}
    failures |= {to: each.error for to, each in outcomes.items() if each.error}
    if any(wants_new_credentials(error) for error in failures.values()):
        entry.async_start_reauth(hass)
    provider = EntryData.of(entry).provider
    return Report(
        [
            fail(hass, provider, to, failures[to]) if to in failures else outcomes[to]
            for to in recipients
        ]
    )


def fail(hass: HomeAssistant, provider: str, to: str, error: Failure) -> Failed:
    """Return a recipient who gets nothing."""
    return Failed(to=to, error=error, sentence=explain(hass, provider, error))


def read_recipients(
    hass: HomeAssistant, recipients: Sequence[object]
) -> dict[str, Failure | None]:
    """Return each recipient once, in order, with what is wrong with it."""
    if not recipients:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_recipient"
        )
    found: dict[str, Failure | None] = {}
    for value in recipients:
        try:
            found.setdefault(parse_number(value, hass.config.country))
        except InvalidNumberError as err:
            found[show(err.value)] = err
    return found


def _compose(
    entry: VirtualSmsConfigEntry, numbers: Sequence[str], request: SendRequest
) -> list[OutboundMessage]:
    outbox = entry.runtime_data.gateway.outbox
    try:
        return [
            outbox.compose(number, request.whole_text, request.media)
            for number in numbers
        ]
    except SmsError as err:
        raise refuse(EntryData.of(entry).provider, err) from err


async def _async_hand_over(
    entry: VirtualSmsConfigEntry,
    messages: Sequence[OutboundMessage],
    request: SendRequest,
) -> dict[str, Outcome]:
    """Give the messages to the gateway, and return their outcomes by recipient."""
    if not messages:
        return {}
    retry_window = request.retry_for
    if retry_window is None:
        minutes = entry.options.get(OPTION_RETRY_FOR, DEFAULT_RETRY_FOR)
        retry_window = timedelta(minutes=minutes)
    try:
        outcomes = await entry.runtime_data.gateway.send(messages, retry_window)
    except DatabaseClosedError as err:
        raise trouble("entry_not_loaded") from err
    except sqlite3.Error as err:
        raise trouble("storage_failed") from err
    return {outcome.message.recipient: outcome for outcome in outcomes}


def trouble(key: str) -> HomeAssistantError:
    """Return the exception for what keeps a number from working now."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key)


def _describe(result: Outcome | Failed) -> JsonObjectType:
    if isinstance(result, Failed):
        return result.describe()
    return {
        "message_id": result.message.message_id,
        "provider_id": result.provider_id,
        "to": result.message.recipient,
        "status": result.status.value,
        "segments": result.message.segments,
        "encoding": result.message.encoding.value,
    }


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


def _is_bad_input(err: Failure) -> bool:
    return _reason(err) is RejectReason.INVALID_NUMBER
