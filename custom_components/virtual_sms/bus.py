"""Publish the changes of a number: whole inside this integration, private outside.

Who concludes from a change needs all of it. Who shows it, or keeps it, gets what the
person's wish for privacy leaves of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never
from urllib.parse import quote

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.json import JsonObjectType, JsonValueType
from homeassistant.util.signal_type import SignalType, SignalTypeFormat

from .adapters.costs import Cost
from .adapters.models import InboundMessage
from .adapters.segments import count_segments
from .const import (
    DEFAULT_KEEP_CONVERSATIONS,
    DOMAIN,
    OPTION_KEEP_CONVERSATIONS,
    OPTION_PRIVACY,
)
from .core.privacy import Privacy
from .entry_data import EntryData
from .people.identity import async_identify
from .replies.answering import async_follow_status, async_take_answer
from .runtime import VirtualSmsConfigEntry
from .store.changes import CallChanged, Change, Received, StatusChanged

EVENT_CALL: Final = f"{DOMAIN}_call"
EVENT_RECEIVED: Final = f"{DOMAIN}_received"
EVENT_STATUS: Final = f"{DOMAIN}_status"

COMMON_FIELDS: Final = frozenset({"entry_id", "device_id", "provider", "number"})
"""What every event carries, whatever happened."""

type EventData = Mapping[str, object]
type Handler = Callable[[VirtualSmsConfigEntry, Change, EventData], None]


@dataclass(frozen=True, slots=True)
class Unquoted[T]:
    """What a signal carries, and no log quotes.

    Home Assistant logs it when a listener fails, so nothing of it is in its repr.
    """

    content: T = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A change of a number, and the whole data of its bus event; no log quotes it."""

    entry: VirtualSmsConfigEntry = field(repr=False)
    change: Change = field(repr=False)
    data: EventData = field(repr=False)


_OF_ONE: Final[SignalTypeFormat[Publication]] = SignalTypeFormat(
    f"{DOMAIN}_change_{{}}"
)
_OF_CONTACT: Final[SignalTypeFormat[Publication]] = SignalTypeFormat(
    f"{DOMAIN}_change_for_{{}}"
)
_OF_ANY: Final[SignalType[Publication]] = SignalType(f"{DOMAIN}_change")


@callback
def async_publish(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, device_id: str, change: Change
) -> None:
    """Let listeners inside have a change, then fire its bus event for all others."""
    event_type, own = describe(change)
    line = EntryData.of(entry)
    data = {
        "entry_id": entry.entry_id,
        "device_id": device_id,
        "provider": line.provider,
        "number": line.number.number,
        **own,
        **(who := async_identify(hass, entry.entry_id, change)),
    }
    if isinstance(change, Received):
        if get_days_kept(entry):
            data["media"] = describe_media(change.message, entry.entry_id)
        data["answer_to"] = async_take_answer(hass, entry, change, who)
    publication = Publication(entry=entry, change=change, data=data)
    async_dispatcher_send(hass, _OF_ONE.format(entry.entry_id), publication)
    async_dispatcher_send(hass, _OF_ANY, publication)
    if who["contact_id"] is not None:
        async_dispatcher_send(hass, _OF_CONTACT.format(who["contact_id"]), publication)
    hass.bus.async_fire(event_type, get_privacy(entry).redact(data))
    if not isinstance(change, Received):
        async_follow_status(hass, entry, change)


@callback
def async_listen(
    hass: HomeAssistant, entry_id: str | None, handler: Handler
) -> CALLBACK_TYPE:
    """Hand all changes of a number to a handler, or of every number for None.

    It gets the whole of each, whatever the privacy option: what it shows of that is
    to be redacted first. Returns how to stop.
    """
    signal = _OF_ANY if entry_id is None else _OF_ONE.format(entry_id)
    return _async_connect(hass, signal, handler)


@callback
def async_listen_to_contact(
    hass: HomeAssistant, contact_id: str, handler: Handler
) -> CALLBACK_TYPE:
    """Hand what a contact writes, and what becomes of messages to them, to a handler.

    That is so for all lines of the home, as `async_listen` does for one.
    """
    return _async_connect(hass, _OF_CONTACT.format(contact_id), handler)


@callback
def _async_connect(
    hass: HomeAssistant, signal: SignalType[Publication], handler: Handler
) -> CALLBACK_TYPE:
    @callback
    def hand_over(publication: Publication) -> None:
        handler(publication.entry, publication.change, publication.data)

    return async_dispatcher_connect(hass, signal, hand_over)


def get_privacy(entry: VirtualSmsConfigEntry) -> Privacy:
    """Return how much of a number's messages may be shown and kept."""
    return Privacy(entry.options.get(OPTION_PRIVACY, Privacy.FULL))


@callback
def find_privacy(hass: HomeAssistant, entry_id: str) -> Privacy:
    """Return the privacy of a number; of one that is gone, as little as possible."""
    entry = hass.config_entries.async_get_entry(entry_id)
    return get_privacy(entry) if entry else Privacy.METADATA


def get_days_kept(entry: VirtualSmsConfigEntry) -> int:
    """Return for how many days a number keeps its conversations; 0 for not at all."""
    if get_privacy(entry) is not Privacy.FULL:
        return 0
    return int(entry.options.get(OPTION_KEEP_CONVERSATIONS, DEFAULT_KEEP_CONVERSATIONS))


def describe(change: Change) -> tuple[str, dict[str, object]]:
    """Return the type of the event for a change, and what only this event carries."""
    match change:
        case Received():
            return EVENT_RECEIVED, _describe_received(change)
        case StatusChanged():
            return EVENT_STATUS, _describe_status(change)
        case CallChanged():
            return EVENT_CALL, _describe_call(change)
        case _:
            assert_never(change)


def _describe_received(received: Received) -> dict[str, object]:
    message = received.message
    return {
        "message_id": message.message_id,
        "provider_id": message.message_id,
        "sender": message.sender,
        "text": message.text,
        "received_at": message.received_at.isoformat(),
        "late": received.late,
        "segments": message.segments or count_segments(message.text).segments,
        "media": describe_media(message),
    }


def describe_media(
    message: InboundMessage, entry_id: str | None = None
) -> list[JsonValueType]:
    """Return what an event tells of the files that came with a message.

    Those that are kept are media items of this home, at the number of an entry.
    """
    return [
        {
            "content_type": each.content_type,
            "url": each.url,
            "media_content_id": entry_id
            and name_media(entry_id, message.message_id, part),
        }
        for part, each in enumerate(message.media)
    ]


def name_media(entry_id: str, message_id: str, part: int) -> str:
    """Return the media item of a file that is kept."""
    return f"media-source://{DOMAIN}/{entry_id}/{quote(message_id, safe='')}/{part}"


def _describe_status(change: StatusChanged) -> dict[str, object]:
    return {
        "message_id": change.message_id,
        "provider_id": change.provider_id,
        "recipient": change.recipient,
        "status": change.status.value,
        "previous": change.previous and change.previous.value,
        "final": change.status.is_final,
        "reason": change.reason and change.reason.value,
        "error_code": change.error_code,
        "at": change.at.isoformat(),
        "cost": describe_cost(change.cost),
    }


def _describe_call(change: CallChanged) -> dict[str, object]:
    return {
        "message_id": change.call_id,
        "provider_id": change.provider_id,
        "direction": change.direction.value,
        "correspondent": change.correspondent,
        "state": change.state.value,
        "previous": change.previous and change.previous.value,
        "final": change.state.is_final,
        "duration": change.duration,
        "digits": change.digits,
        "reason": change.reason and change.reason.value,
        "error_code": change.error_code,
        "at": change.at.isoformat(),
    }


def describe_cost(cost: Cost | None) -> JsonObjectType | None:
    """Return a price as events and responses tell it: in money, or in credits."""
    if cost is None:
        return None
    amount = float(cost.amount)
    if cost.currency is None:
        return {"credits": amount}
    return {"amount": amount, "currency": cost.currency}
