"""Say whom a change of a number is about, as the home knows them."""

from typing import assert_never

from homeassistant.core import HomeAssistant, callback

from ..core.contacts import Addressee, Contact
from ..store.changes import CallChanged, Change, Received, StatusChanged, Trust
from .contacts import async_directory, async_find_person


@callback
def async_identify(
    hass: HomeAssistant, entry_id: str, change: Change
) -> dict[str, object]:
    """Return what the event of a change says of who wrote, or who is written to."""
    match change:
        case Received(message=message):
            writer = async_directory(hass).find_sender(message.sender, entry_id)
            known = _describe(hass, writer.addressee if writer else None)
            trust = _trust(writer, change).value
            return {**known, "answer_to": None, "trust": trust}
        case StatusChanged():
            to = change.recipient
            return _describe(hass, _find_addressee(hass, entry_id, change.contact, to))
        case CallChanged():
            to = change.correspondent
            other = _find_addressee(hass, entry_id, change.contact, to)
            trust = Trust.KNOWN if other else Trust.UNKNOWN
            return {**_describe(hass, other), "trust": trust.value}
        case _:
            assert_never(change)


def _trust(writer: Contact | None, received: Received) -> Trust:
    """Say whom we believe, as it was judged, unless the contact is another by now."""
    if writer is None:
        return Trust.UNKNOWN
    is_same = writer.contact_id == received.contact_id
    return received.trust.shown if is_same and writer.may_command else Trust.KNOWN


def _find_addressee(
    hass: HomeAssistant, entry_id: str, stored: str | None, number: str
) -> Addressee | None:
    """Return whom a message or a call is about, also when they are gone by now."""
    if (addressee := Addressee.read(stored)) is not None:
        return addressee
    contact = async_directory(hass).find_sender(number, entry_id)
    return contact.addressee if contact else None


def _describe(hass: HomeAssistant, addressee: Addressee | None) -> dict[str, object]:
    """Describe somebody as they were called when they wrote, or were written to."""
    if addressee is None:
        return {"contact": None, "contact_id": None, "person": None}
    contact = async_directory(hass).get_contact(addressee.contact_id)
    return {
        "contact": addressee.name,
        "contact_id": addressee.contact_id,
        "person": async_find_person(hass, contact) if contact else None,
    }
