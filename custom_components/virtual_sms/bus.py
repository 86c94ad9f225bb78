"""Tell Home Assistant what happened to a number: bus events, and our entities.

All that is ever told goes through here, and so does the person's wish for privacy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)

from .adapters.segments import count_segments
from .const import DOMAIN, OPTION_PRIVACY
from .core.privacy import Privacy
from .runtime import VirtualSmsConfigEntry
from .store.changes import Change, Received, StatusChanged

EVENT_RECEIVED: Final = f"{DOMAIN}_received"
EVENT_STATUS: Final = f"{DOMAIN}_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What may be told of a change: an event's type and its own data.

    `change` is all of it, for those who conclude from it and show nothing.
    """

    event_type: str
    data: dict[str, object]
    change: Change = field(repr=False)


@callback
def async_publish(
    hass: HomeAssistant,
    common: dict[str, str],
    privacy: Privacy,
    change: Change,
) -> None:
    """Fire the bus event of a change, then let our entities know.

    `common` holds what every event of the number carries.
    """
    event_type, data = describe(change)
    news = News(event_type=event_type, data=privacy.redact(data), change=change)
    hass.bus.async_fire(event_type, common | news.data)
    async_dispatcher_send(hass, _signal(common["entry_id"]), news)


@callback
def async_subscribe(
    hass: HomeAssistant, entry_id: str, listener: Callable[[News], None]
) -> CALLBACK_TYPE:
    """Have a listener hear all news of a number."""
    return async_dispatcher_connect(hass, _signal(entry_id), listener)


def get_privacy(entry: VirtualSmsConfigEntry) -> Privacy:
    """Return how much may be told of a number."""
    return Privacy(entry.options.get(OPTION_PRIVACY, Privacy.FULL))


def describe(change: Change) -> tuple[str, dict[str, object]]:
    """Return the type and the own data of the event for a change."""
    match change:
        case Received():
            return EVENT_RECEIVED, _describe_received(change)
        case StatusChanged():
            return EVENT_STATUS, _describe_status(change)


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
