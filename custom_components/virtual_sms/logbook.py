"""Say in the logbook what happened to a number, in a sentence."""

from collections.abc import Callable

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .bus import EVENT_CALL, EVENT_RECEIVED, EVENT_STATUS, find_privacy
from .const import CONF_NUMBER, DOMAIN
from .runtime import VirtualSmsConfigEntry
from .texts import get_text

# As icons.json has them for the entities: the logbook cannot look there.
ICONS = {
    "received": "mdi:message-badge-outline",
    "queued": "mdi:message-processing-outline",
    "sent": "mdi:message-arrow-right-outline",
    "delivered": "mdi:message-check-outline",
    "undelivered": "mdi:message-alert-outline",
    "failed": "mdi:message-alert-outline",
    "canceled": "mdi:message-off-outline",
    "unknown": "mdi:message-question-outline",
    "call_queued": "mdi:phone-outgoing-outline",
    "call_ringing": "mdi:phone-ring-outline",
    "call_answered": "mdi:phone-in-talk-outline",
    "call_acknowledged": "mdi:phone-check-outline",
    "call_completed": "mdi:phone-outline",
    "call_busy": "mdi:phone-lock-outline",
    "call_no_answer": "mdi:phone-missed-outline",
    "call_failed": "mdi:phone-alert-outline",
    "call_canceled": "mdi:phone-cancel-outline",
    "call_rejected": "mdi:phone-hangup-outline",
}

type Line = dict[str, str | None]
type Describe = Callable[[Event], Line]


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Describe], None],
) -> None:
    """Name the events that we have sentences for.

    The sentences follow today's privacy option: an event may be older than that.
    """

    @callback
    def describe_received(event: Event) -> Line:
        data = _redact(hass, event)
        key = "received_text" if data["text"] else "received"
        return _describe(hass, event, "received", _sentence(hass, key, data))

    @callback
    def describe_status(event: Event) -> Line:
        data = _redact(hass, event)
        status = str(data["status"])
        sentence = _sentence(hass, status, data)
        if data["reason"]:
            sentence += f" ({_reason(hass, str(data['reason']))})"
        return _describe(hass, event, status, sentence)

    @callback
    def describe_call(event: Event) -> Line:
        data = _redact(hass, event)
        state = data["state"]
        path = f"entity.event.call.state_attributes.state.state.{state}"
        sentence = _sentence(hass, f"call_{data['direction']}", data)
        sentence = f"{sentence} ({get_text(hass, 'entity', path)})"
        return _describe(hass, event, f"call_{state}", sentence)

    async_describe_event(DOMAIN, EVENT_CALL, describe_call)
    async_describe_event(DOMAIN, EVENT_RECEIVED, describe_received)
    async_describe_event(DOMAIN, EVENT_STATUS, describe_status)


def _find_entry(hass: HomeAssistant, event: Event) -> VirtualSmsConfigEntry | None:
    return hass.config_entries.async_get_entry(event.data["entry_id"])


def _redact(hass: HomeAssistant, event: Event) -> dict[str, object]:
    """Return what may be shown; of a number that is gone, as little as possible."""
    return find_privacy(hass, event.data["entry_id"]).redact(event.data)


def _describe(hass: HomeAssistant, event: Event, kind: str, sentence: str) -> Line:
    """Return a line whose subject is the number, not one of its entities."""
    entry = _find_entry(hass, event)
    return {
        LOGBOOK_ENTRY_NAME: entry.title if entry else event.data[CONF_NUMBER],
        LOGBOOK_ENTRY_MESSAGE: sentence,
        LOGBOOK_ENTRY_ICON: ICONS[kind],
    }


def _sentence(hass: HomeAssistant, key: str, data: dict[str, object]) -> str:
    someone = get_text(hass, "common", "common.logbook_someone")
    known = map(data.get, ("sender", "recipient", "correspondent"))
    correspondent = next(filter(None, known), someone)
    sentence = get_text(hass, "common", f"common.logbook_{key}")
    return sentence.format(correspondent=correspondent, text=data.get("text"))


def _reason(hass: HomeAssistant, reason: str) -> str:
    path = f"entity.event.delivery.state_attributes.reason.state.{reason}"
    return get_text(hass, "entity", path)
