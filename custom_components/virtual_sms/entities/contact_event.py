"""The event entities of a contact: what they wrote, and calls, on whichever line."""

from collections.abc import Iterable

from ..core.contacts import Contact, Group
from ..event import EVENTS, VirtualSmsEvent
from ..runtime import VirtualSmsConfigEntry
from .contact_entity import ContactEntity

_OF_CONTACTS = ("message", "call")


class ContactEvent(ContactEntity, VirtualSmsEvent):
    """A contact wrote, or a call with them moved on."""


def create_events(
    entry: VirtualSmsConfigEntry, whose: Contact | Group
) -> Iterable[VirtualSmsEvent]:
    """Create the event entities of a contact; a group writes nothing.

    Calls are there where the contact's own line has them.
    """
    if isinstance(whose, Group):
        return []
    capabilities = entry.runtime_data.gateway.line.adapter.capabilities
    return [
        ContactEvent(entry, whose, each)
        for each in EVENTS
        if each.key in _OF_CONTACTS and each.needs in capabilities
    ]
