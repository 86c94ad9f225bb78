"""Say what sending would come to, and send nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..adapters.errors import SmsError
from ..adapters.plain_text import clean
from ..adapters.segments import count_segments
from ..core.limits import as_error
from ..core.simplify import offending
from ..entry_data import EntryData
from ..error_messages import explain, say
from ..media.outgoing import Attachments, async_foresee_all, async_pack
from .addressing import Recipient, async_address
from .composing import check_length, write_text
from .limits import async_get_allowance
from .send_request import SendRequest
from .sending import describe_recipient, get_loaded, group_by_line
from .sending_errors import name_reason

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonObjectType

    from ..adapters.models import OutboundMessage
    from ..error_messages import Failure
    from ..runtime import VirtualSmsConfigEntry

_TOO_LONG: Final = "too_long"
"""The refusal of a text with more segments than the caller allows."""
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """What would become of a message, as its line sees it."""

    text: str = field(repr=False)
    refusal: str | None = None
    sentence: str | None = field(default=None, repr=False)

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        count = count_segments(self.text)
        return {
            "segments": count.segments,
            "encoding": count.encoding.value,
            "offending": list(offending(self.text)),
            "refusal": self.refusal,
            **({"error": self.sentence} if self.sentence else {}),
        }


async def async_foresee(
    hass: HomeAssistant, line: str | None, request: SendRequest
) -> JsonObjectType:
    """Return what would become of a request: what it costs, and who would be refused."""
    recipients = async_address(hass, line, request.recipients, request.contacts)
    attachments, cause = _foresee_attachments(hass, request)
    request = replace(request, attachments=attachments)
    found: dict[str, _Foreseen] = {}
    for own, some in group_by_line(recipients).items():
        found |= (
            _refuse_all(hass, some, request, cause)
            if cause
            else await _async_try(hass, own, some, request)
        )
    for each in recipients:
        if each.error is not None:
            found[each.to] = _foresee_refusal(
                hass, "", clean(request.whole_text), each.error
            )
    foreseen: JsonObjectType = {
        "messages": [_describe(each, found[each.to]) for each in recipients]
    }
    return attachments.complete(foreseen) if request.media else foreseen


def _foresee_attachments(
    hass: HomeAssistant, request: SendRequest
) -> tuple[Attachments, HomeAssistantError | None]:
    """Return what would go with the messages, or what keeps all of them from it."""
    try:
        return async_foresee_all(hass, request.media, request.media_as_link), None
    except HomeAssistantError as err:
        return Attachments(mode=request.media_as_link), err


def _refuse_all(
    hass: HomeAssistant,
    recipients: Sequence[Recipient],
    request: SendRequest,
    error: HomeAssistantError,
) -> dict[str, _Foreseen]:
    text, sentence = clean(request.whole_text), say(hass, error)
    refused = _Foreseen(text=text, refusal=_OTHER, sentence=sentence)
    return {each.to: refused for each in recipients}


def _describe(recipient: Recipient, foreseen: _Foreseen) -> JsonObjectType:
    return {**describe_recipient(recipient), **foreseen.describe()}


async def _async_try(
    hass: HomeAssistant,
    line: str,
    recipients: Sequence[Recipient],
    request: SendRequest,
) -> dict[str, _Foreseen]:
    """Say what a line would do, also when it is not at work."""
    try:
        entry = get_loaded(hass, line)
        return await _async_foresee_by(hass, entry, recipients, request)
    except HomeAssistantError as err:
        return _refuse_all(hass, recipients, request, err)


async def _async_foresee_by(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
    request: SendRequest,
) -> dict[str, _Foreseen]:
    parcel = await async_pack(entry, request.attachments, len(recipients))
    get_loaded(hass, entry.entry_id)
    text = clean(parcel.extend(write_text(entry, request)))
    messages: list[OutboundMessage] = []
    errors: dict[str, Failure] = {}
    for each in recipients:
        try:
            outbox = entry.runtime_data.gateway.outbox
            messages.append(outbox.compose(each.to, text, parcel.media))
        except SmsError as err:
            errors[each.to] = err
    errors |= _find_refusals(entry, messages, request)
    provider, fits = EntryData.of(entry).provider, _foresee_length(hass, text, request)
    return {
        each.to: _foresee_refusal(hass, provider, text, errors[each.to])
        if each.to in errors
        else fits
        for each in recipients
    }


def _foresee_refusal(
    hass: HomeAssistant, provider: str, text: str, error: Failure
) -> _Foreseen:
    return _Foreseen(
        text=text, refusal=name_reason(error), sentence=explain(hass, provider, error)
    )


def _foresee_length(hass: HomeAssistant, text: str, request: SendRequest) -> _Foreseen:
    try:
        check_length(count_segments(text).segments, request.max_segments)
    except ServiceValidationError as err:
        return _Foreseen(text=text, refusal=_TOO_LONG, sentence=say(hass, err))
    return _Foreseen(text=text)


def _find_refusals(
    entry: VirtualSmsConfigEntry,
    messages: Sequence[OutboundMessage],
    request: SendRequest,
) -> Mapping[str, Failure]:
    """Return what our own rules would refuse, by recipient."""
    allowance = async_get_allowance(entry, is_critical=request.is_critical)
    records = entry.runtime_data.gateway.store.outbound
    refusals = records.foresee(messages, allowance)
    return {
        each.recipient: as_error(refusals[each.message_id])
        for each in messages
        if each.message_id in refusals
    }
