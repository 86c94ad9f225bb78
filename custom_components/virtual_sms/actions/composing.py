"""Make messages of a request: what is written, to whom, and what goes with it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from homeassistant.exceptions import ServiceValidationError

from ..adapters.errors import SmsError
from ..const import DOMAIN
from ..core.simplify import simplify
from ..entry_data import EntryData
from ..error_messages import refuse
from .limits import simplifies

if TYPE_CHECKING:
    from ..adapters.models import OutboundMessage
    from ..media.outgoing import Parcel
    from ..runtime import VirtualSmsConfigEntry
    from .addressing import Recipient
    from .send_request import SendRequest


def compose_all(
    entry: VirtualSmsConfigEntry,
    recipients: Sequence[Recipient],
    request: SendRequest,
    parcel: Parcel,
) -> list[OutboundMessage]:
    """Make the messages of a line; raises what it cannot express, or may not."""
    text = parcel.extend(write_text(entry, request))
    messages = [_compose(entry, each, text, request, parcel) for each in recipients]
    for each in messages:
        check_length(each.segments, request.max_segments)
    return messages


def _compose(
    entry: VirtualSmsConfigEntry,
    recipient: Recipient,
    text: str,
    request: SendRequest,
    parcel: Parcel,
) -> OutboundMessage:
    """Make the message to one of them; raises what the provider cannot express."""
    contact = recipient.contact
    known = contact.addressee.write() if contact else None
    outbox = entry.runtime_data.gateway.outbox
    try:
        message = outbox.compose(recipient.to, text, parcel.media, known)
    except SmsError as err:
        raise refuse(EntryData.of(entry).provider, err) from err
    if request.planned_id is None:
        return message
    return replace(message, message_id=request.planned_id)


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
