"""Say what sending would come to, and send nothing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from homeassistant.exceptions import ServiceValidationError

from .adapters.errors import SmsError
from .adapters.plain_text import clean
from .adapters.segments import SegmentCount, count_segments
from .core.limits import as_error
from .core.simplify import offending
from .entry_data import EntryData
from .error_messages import explain
from .limits import async_get_allowance
from .sending import (
    SendRequest,
    check_length,
    explained,
    name_reason,
    read_recipients,
    write_text,
)

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonObjectType

    from .adapters.models import OutboundMessage
    from .error_messages import Failure
    from .runtime import VirtualSmsConfigEntry

_TOO_LONG: Final = "too_long"
"""The refusal of a text with more segments than the caller allows."""


async def async_foresee(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, request: SendRequest
) -> JsonObjectType:
    """Return what would become of a request: what it costs, and who would be refused."""
    found = read_recipients(hass, request.recipients)
    text = clean(write_text(entry, request))
    count = count_segments(text)
    messages: list[OutboundMessage] = []
    for number in [to for to, error in found.items() if error is None]:
        try:
            outbox = entry.runtime_data.gateway.outbox
            messages.append(outbox.compose(number, text, request.media))
        except SmsError as err:
            found[number] = err
    found |= await _async_find_refusals(entry, messages, request)
    reasons = {to: _name(error, count, request) for to, error in found.items()}
    provider = EntryData.of(entry).provider
    return {
        "messages": [
            {
                "to": to,
                "line": entry.entry_id,
                "segments": count.segments,
                "encoding": count.encoding.value,
                "offending": list(offending(text)),
                "refusal": reasons[to],
                **({"error": explain(hass, provider, error)} if error else {}),
            }
            for to, error in found.items()
        ]
    }


async def _async_find_refusals(
    entry: VirtualSmsConfigEntry,
    messages: list[OutboundMessage],
    request: SendRequest,
) -> Mapping[str, Failure]:
    """Return what our own rules would refuse, by recipient."""
    allowance = async_get_allowance(entry, is_critical=request.is_critical)
    with explained():
        records = entry.runtime_data.gateway.store.outbound
        refusals = await records.foresee(messages, allowance)
    return {
        each.recipient: as_error(refusals[each.message_id])
        for each in messages
        if each.message_id in refusals
    }


def _name(
    error: Failure | None, count: SegmentCount, request: SendRequest
) -> str | None:
    if error is not None:
        return name_reason(error)
    try:
        check_length(count.segments, request.max_segments)
    except ServiceValidationError:
        return _TOO_LONG
    return None
