"""What is known of contacts besides what a person typed: whether they are reached.

Whoever learns something of a contact notes it here, and the contact's status follows.
"""

from dataclasses import replace
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalTypeFormat

from ..adapters.models import DeliveryStatus, RejectReason
from ..const import DOMAIN
from ..core.contacts import ContactFacts
from ..store.changes import StatusChanged

_FACTS: HassKey[dict[str, ContactFacts]] = HassKey(f"{DOMAIN}_contact_facts")
_THEIR_SIDE: Final = (
    RejectReason.INVALID_NUMBER,
    RejectReason.LANDLINE,
    RejectReason.UNREACHABLE,
)
"""Why a message that failed at once could not reach this contact."""
_CHANGED: Final[SignalTypeFormat[()]] = SignalTypeFormat(f"{DOMAIN}_facts_{{}}")


@callback
def async_get_facts(hass: HomeAssistant, contact_id: str) -> ContactFacts:
    """Return what is known of a contact."""
    return hass.data.get(_FACTS, {}).get(contact_id, ContactFacts())


@callback
def async_note_facts(hass: HomeAssistant, contact_id: str, **facts: bool) -> None:
    """Note what was learned of a contact, by the fields of ContactFacts."""
    known = async_get_facts(hass, contact_id)
    if (changed := replace(known, **facts)) != known:
        hass.data.setdefault(_FACTS, {})[contact_id] = changed
        async_dispatcher_send(hass, _CHANGED.format(contact_id))


@callback
def async_note_delivery(
    hass: HomeAssistant, contact_id: str, change: StatusChanged
) -> None:
    """Note whether a message reached a contact, as soon as that is known."""
    match change.status:
        case DeliveryStatus.DELIVERED:
            async_note_facts(hass, contact_id, is_undelivered=False)
        case DeliveryStatus.UNDELIVERED:
            async_note_facts(hass, contact_id, is_undelivered=True)
        case DeliveryStatus.FAILED if change.reason in _THEIR_SIDE:
            async_note_facts(hass, contact_id, is_undelivered=True)


@callback
def async_listen_to_facts(
    hass: HomeAssistant, contact_id: str, listener: CALLBACK_TYPE
) -> CALLBACK_TYPE:
    """Have a listener called whenever something was learned; return how to stop."""
    return async_dispatcher_connect(hass, _CHANGED.format(contact_id), listener)
