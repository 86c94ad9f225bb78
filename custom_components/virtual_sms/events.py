"""Tell Home Assistant what happened to a number: bus events, and our entities."""

from collections.abc import Callable
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)

from .announcements import Announcement, Received, StatusChanged
from .const import DOMAIN
from .segments import count_segments

EVENT_RECEIVED: Final = f"{DOMAIN}_received"
EVENT_STATUS: Final = f"{DOMAIN}_status"


@callback
def async_publish(
    hass: HomeAssistant, common: dict[str, str], announcement: Announcement
) -> None:
    """Fire the bus event of an announcement, then let our entities know.

    `common` holds what every event of the number carries.
    """
    event_type, data = describe(announcement)
    hass.bus.async_fire(event_type, common | data)
    async_dispatcher_send(hass, _signal(common["entry_id"]), announcement)


@callback
def async_subscribe(
    hass: HomeAssistant, entry_id: str, listener: Callable[[Announcement], None]
) -> CALLBACK_TYPE:
    """Have a listener hear every announcement of a number."""
    return async_dispatcher_connect(hass, _signal(entry_id), listener)


def describe(announcement: Announcement) -> tuple[str, dict[str, object]]:
    """Return the type and the own data of the event for an announcement."""
    match announcement:
        case Received():
            return EVENT_RECEIVED, _describe_received(announcement)
        case StatusChanged():
            return EVENT_STATUS, _describe_status(announcement)


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
        "media": [
            {"content_type": each.content_type, "url": each.url}
            for each in message.media
        ],
    }


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
    }


def _signal(entry_id: str) -> str:
    return f"{DOMAIN}_{entry_id}"
